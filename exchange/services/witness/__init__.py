"""A witness (C2SP tlog-witness): it remembers how far it saw a log, and cosigns what only grew from there.

`state` is what it remembers, `looking` how it looks into the exchange's own logs further than the protocol asks,
`keeping` what becomes of proofs against a log, `service` the judging, `app` the HTTP around it.
"""
