"""What was put away: where it is, the names that it is found by, and what it adds to the tallies."""

import sqlalchemy as sa
from alembic import op

revision = "0004.0003"
down_revision = "0003"

_COUNTED = ("volume", "late", "failed")
_STAGES = ("on_time", "late_deliver", "late_hand_over", "late_register", "late_reply")
_TIMES = tuple(f"{name}{bucket}" for name in ("delivery", "registration") for bucket in range(10))


def upgrade() -> None:
    """Add tables; nothing that was there changes."""
    op.create_table("archive_files", _text("name", primary_key=True), *_numbers("size"))
    op.create_table(
        "archived",
        _place(primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("bodies", sa.Text, nullable=False),
        *_numbers("journalled"),
        _text("file"),
        *_numbers("at", "put_away"),
    )
    op.create_index("archived_by_digest", "archived", ["digest"], unique=True)
    op.create_table(
        "archived_names",
        sa.Column("name", sa.Text, primary_key=True),
        _place(primary_key=True),
    )
    op.create_index("archived_names_by_place", "archived_names", ["place"])
    day = sa.Column("day", sa.Integer, primary_key=True, autoincrement=False)
    op.create_table("archived_days", day, *_numbers(*_COUNTED))
    route = (_text(name, primary_key=True) for name in ("month", "sender", "recipient"))
    op.create_table("archived_routes", *route, *_numbers(*_COUNTED, *_TIMES))
    service = (_text(name, primary_key=True) for name in ("month", "body", "kind"))
    op.create_table("archived_services", *service, *_numbers(*_COUNTED, *_STAGES, *_TIMES))


def _place(*, primary_key: bool) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("place", kind, primary_key=primary_key, autoincrement=False, nullable=False)


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    kind = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.Column(name, kind, primary_key=primary_key, nullable=False)


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
