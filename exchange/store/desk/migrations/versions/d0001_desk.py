"""The desk's first tables."""

import sqlalchemy as sa
from alembic import op

revision = "d0001"
down_revision = None

_DIGEST = sa.LargeBinary(32)
_TABLES = ("views", "notes", "approvals", "attempts", "devices", "sessions", "accounts")


def upgrade() -> None:
    """Create the tables and their indexes."""
    _accounts()
    _attempts()
    op.create_table(
        "approvals",
        sa.Column("id", sa.Text, primary_key=True),
        *_texts("action", "about", "summary", "person", "reason"),
        *_numbers("asked"),
        *_texts("second", "verdict", "remark"),
        *_numbers("decided"),
    )
    op.create_index("approvals_by_asked", "approvals", ["asked"])
    op.create_index("approvals_by_about", "approvals", ["action", "about"])
    op.create_table(
        "notes",
        sa.Column("failure", sa.Text, primary_key=True),
        *_texts("owner", "text", "person"),
        *_numbers("changed"),
    )
    op.create_table(
        "views",
        sa.Column("login", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("page", "query"),
        *_numbers("made"),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("login", sa.Text, primary_key=True),
        *_texts("issuer", "subject", "name", "roles", "body", "password"),
        sa.Column("is_temporary", sa.Integer, nullable=False),
        sa.Column("is_locked", sa.Integer, nullable=False),
        *_numbers("made", "changed"),
    )
    op.create_index("accounts_by_subject", "accounts", ["issuer", "subject"])
    op.create_table(
        "sessions",
        sa.Column("digest", _DIGEST, primary_key=True),
        *_texts("login"),
        *_numbers("begun", "seen", "ends"),
        *_texts("address", "id_token"),
    )
    op.create_index("sessions_by_login", "sessions", ["login"])
    op.create_index("sessions_by_end", "sessions", ["ends"])


def _attempts() -> None:
    op.create_table(
        "devices",
        sa.Column("digest", _DIGEST, primary_key=True),
        *_texts("login"),
        *_numbers("seen"),
    )
    op.create_index("devices_by_login", "devices", ["login", "seen"])
    op.create_table(
        "attempts",
        sa.Column("subject", _DIGEST, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        *_numbers("last", "until"),
    )
    op.create_index("attempts_by_last", "attempts", ["last"])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
