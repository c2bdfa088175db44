"""The journal: how a decision is made, chained and noted, and how it is replayed.

`judge` holds the rules for what a statement says, `examine` the whole way of a submission up to
them, `ledger` the order of a lane; `facts` and `replay` read it all back.
"""
