"""What this layer refuses.

ExchangeError
└── StoreError               the tracker's database
    └── StoreConflict        somebody else wrote to it meanwhile
"""

from exchange.domain.errors import ExchangeError


class StoreError(ExchangeError):
    """The database cannot be opened, is of another version, or is not a tracker's."""

    code = "store-unavailable"


class StoreConflict(StoreError):
    """The journal's position moved under us: a second tracker writes to the same database."""

    code = "store-position-moved"
