"""The desk's tables.

Columns are bytes, text or whole numbers, as in `exchange.store.schema`: times are microseconds since
1970 UTC, empty text means "not said". Secrets are kept as digests only: who reads the database, or a
backup of it, signs in as nobody.

    accounts   who may sign in; a person of an identity provider is entered at the first sign-in
    sessions   one per browser that is signed in, by the digest of its cookie
    devices    browsers from which an account signed in before: a stranger's failures do not hold them up
    attempts   sign-ins that failed, by the digest of what is counted: an account, an address, a device
    approvals  what one person asks for and a second one must say yes to
    notes      who looks after a group of failures, and what is known of it
    views      lists that a person saved under a name
"""

import sqlalchemy as sa

metadata = sa.MetaData()

Digest = sa.LargeBinary(32)
Micros = sa.BigInteger
Code = sa.Text

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("login", sa.Text, primary_key=True),
    sa.Column("issuer", sa.Text, nullable=False),  # empty: a local account
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),  # in alphabetical order, a space between
    sa.Column("body", Code, nullable=False),
    sa.Column("password", sa.Text, nullable=False),  # Argon2's own form, with its parameters and salt
    sa.Column("is_temporary", sa.Integer, nullable=False),
    sa.Column("is_locked", sa.Integer, nullable=False),
    sa.Column("made", Micros, nullable=False),
    sa.Column("changed", Micros, nullable=False),
    sa.Index("accounts_by_subject", "issuer", "subject"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", Digest, primary_key=True),
    sa.Column("login", sa.Text, nullable=False),
    sa.Column("begun", Micros, nullable=False),
    sa.Column("seen", Micros, nullable=False),
    sa.Column("ends", Micros, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("id_token", sa.Text, nullable=False),  # the provider's, to end its session too
    sa.Index("sessions_by_login", "login"),
    sa.Index("sessions_by_end", "ends"),
)

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("digest", Digest, primary_key=True),
    sa.Column("login", sa.Text, nullable=False),
    sa.Column("seen", Micros, nullable=False),
    sa.Index("devices_by_login", "login", "seen"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("subject", Digest, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last", Micros, nullable=False),
    sa.Column("until", Micros, nullable=False),
    sa.Index("attempts_by_last", "last"),
)

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("action", Code, nullable=False),
    sa.Column("about", sa.Text, nullable=False),  # a body's code
    sa.Column("summary", sa.Text, nullable=False),  # what exactly is asked for: the body's own request
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("asked", Micros, nullable=False),
    sa.Column("second", sa.Text, nullable=False),
    sa.Column("verdict", Code, nullable=False),
    sa.Column("remark", sa.Text, nullable=False),
    sa.Column("decided", Micros, nullable=False),  # 0 while nobody has
    sa.Index("approvals_by_asked", "asked"),
    sa.Index("approvals_by_about", "action", "about"),
)

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("failure", sa.Text, primary_key=True),  # the group's name in its page's address
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("changed", Micros, nullable=False),
)

views = sa.Table(
    "views",
    metadata,
    sa.Column("login", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("page", Code, nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("made", Micros, nullable=False),
)
