"""One module per revision, oldest first; a released one never changes.

From 0004 on programs of the release before work on while one is made (`exchange.store.migrating` says how): a revision
only adds tables, and columns with a constant default or none. Indexes of tables that have rows are declared in
`exchange.store.schema` alone, under a new name when they change. 0002 and 0003
make the tables anew: every tracker is stopped first.
"""
