"""What every HTTP API of the exchange does in the same way: the agent's (`services/api`) and the console's.

asking      parameters of a request
answering   values as JSON; files: those of letters
model       types that all answers are made of
problems    what goes wrong, as RFC 9457 tells it
openapi     the OpenAPI document, made of a table of operations
page        the page that people read, made of an OpenAPI document
listening   sockets, TLS, slow callers, and the end; renewing: certificates that change meanwhile
"""
