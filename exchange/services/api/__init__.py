"""The agent's HTTP API: a body's letters for systems that call rather than drop files.

The way through it, in this order:

    model       what is asked and answered, as types
    problems    statuses of what goes wrong
    asking      one request: who asks, for what, with how much
    sending     letters out, and what is heard of them
    receiving   letters in, and what is said about them
    operations  the table of all operations: routes and documentation come from it
    document    the OpenAPI document
    app         the ASGI application

What it shares with the console's API stands in `exchange.services.http`.
"""
