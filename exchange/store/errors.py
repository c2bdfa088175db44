"""What this layer refuses.

ExchangeError
└── StoreError               the tracker's database
    ├── StoreConflict        somebody else wrote to it meanwhile
    ├── ShardLost            a partition is no longer this tracker's
    └── ArchiveError         files of what was put away
"""

from exchange.domain.errors import ExchangeError


class StoreError(ExchangeError):
    """The database cannot be opened, is of another version, or is not a tracker's."""

    code = "store-unavailable"


class StoreConflict(StoreError):
    """The journal's position moved under us: a second tracker writes to the same database."""

    code = "store-position-moved"


class ShardLost(StoreError):
    """The session that held a partition of the journal ended; another tracker may have gone on."""

    code = "store-shard-lost"
    retriable = True


class ArchiveError(StoreError):
    """An archive file cannot be read or written, is damaged, or is not known here."""

    code = "archive-unavailable"
