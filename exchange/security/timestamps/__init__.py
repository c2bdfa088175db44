"""Time-stamps of an authority outside the exchange (RFC 3161): that some bytes were there at a time.

errors     what is refused
request    what is asked
response   what comes back, and the token in it
verify     whether a token holds
hash_tree  many objects under one token (RFC 4998)
record     evidence that outlives certificates and digests; renewal: how it is kept alive

The package `rfc3161-client` was tried first (1.0.9). It was not taken because it
* refuses tokens whose certificates do not stand in DER's order, which is how `openssl ts -reply` writes them;
* does not look at the ESS signing certificate, so another certificate of the same key, issuer and number would do;
* asks for a time-stamp of data only, while a renewal (RFC 4998, 4.2) stamps a hash that was computed before.
"""

from exchange.security.timestamps.errors import TimestampError
from exchange.security.timestamps.request import Imprint, query
from exchange.security.timestamps.response import Token, read_token, token_of
from exchange.security.timestamps.verify import Authorities, Stamp, accept

__all__ = ["Authorities", "Imprint", "Stamp", "TimestampError", "Token", "accept", "query", "read_token", "token_of"]
