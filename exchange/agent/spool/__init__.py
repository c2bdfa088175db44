"""The spool: an agent's only state, one SQLite file (WAL, synchronous FULL).

    schema      the tables, and what each row promises
    database    the file: opening, checking, group commit, errors
    origins     the numbered chain of each body
    outgoing    what a body says: drafts, statements, what became of them
    incoming    what arrived, how far it was handed over, and how far the inbox was read
    witnessed   what the transparency log proves of it

The functions of the last four take a connection inside a transaction; `Spool.run` gives them one.
"""

from exchange.agent.spool.database import Spool

__all__ = ["Spool"]
