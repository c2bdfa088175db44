"""A witness (C2SP tlog-witness): it remembers how far it saw a log, and cosigns what only grew from there.

service   judges requests to cosign
state     what it remembers
looking   looks into the exchange's own logs further than the protocol asks
keeping   keeps proofs against a log
app       the HTTP around it
metrics   what it counts
errors    what it cannot do
"""
