"""Transparency logs as C2SP and RFC 6962 have them: pure, no clock, no I/O.

`merkle` and `tiles` are the trees, `note` the signed notes, `checkpoint` and `heads` what is said of the trees,
`policy` whose word counts, `proof` one entry's whole way up to a checkpoint. ADR 0018 says how the exchange uses them.
"""
