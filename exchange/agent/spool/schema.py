"""Tables of the spool. Times are microseconds since 1970, UTC.

No row is ever deleted. What was sent is kept whole until a witnessed checkpoint covers it and 35 days have passed
(rule 2.6); then the files that it carried go (`witnessed.release`), and statement, signature and card stay.

States of a row of `outgoing`:

    draft → signed → taken       the exchange accepted it
      ↑       │  └─→ refused     the exchange refused it: the number moved, the EDMS is told
      └───────┘  └─→ void        its number was taken by a void (rule 2.4), the EDMS is told
     origin abandoned (rule 2.5)

States of a row of `incoming`:

    received → staged → handed   shown to the EDMS; `skipped` when the EDMS does not want it
        └────────┴────→ failed   the EDMS cannot take it; a person may put it back to received

A command (redrive) puts its letter back to received, whatever it was, at the end of all that arrived. The row of
the command itself is skipped from the beginning: it only remembers that the command was obeyed.
"""

import sqlite3

from exchange.domain.errors import SpoolError

VERSION = 4
APPLICATION_ID = 0x45584348
"""`EXCH`: says in the file's header whose file it is."""

CONTRADICTIONS = """
CREATE TABLE contradictions (               -- the log has another statement than ours at a number that was taken
    body TEXT NOT NULL,
    origin BLOB NOT NULL,
    number INTEGER NOT NULL,
    received INTEGER NOT NULL,
    entry BLOB NOT NULL,                    -- of the journal, as it is in the log
    proof BLOB NOT NULL,                    -- exchange-proof/v1
    PRIMARY KEY (body, origin, number)
) STRICT, WITHOUT ROWID;
"""
"""Proofs against the exchange; kept for ever."""
COVERED = "CREATE INDEX covered ON origins (id) WHERE released_number < witnessed_number;"
TABLES = f"""
CREATE TABLE inboxes (                      -- how far each inbox was read
    body TEXT PRIMARY KEY,
    "offset" INTEGER,                       -- of the last record taken; NULL: none yet
    digest BLOB,                            -- SHA-256 of that record
    reached INTEGER                         -- where to read on; NULL in spools of version 1: just behind the record
) STRICT;
CREATE TABLE origins (
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    origin BLOB NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('current', 'abandoned', 'closed')),
    signed_number INTEGER NOT NULL DEFAULT 0,
    signed_digest BLOB NOT NULL DEFAULT (zeroblob(32)),
    taken_number INTEGER NOT NULL DEFAULT 0,  -- proven: a notice bore our own digest
    heard_number INTEGER NOT NULL DEFAULT 0,  -- what the router said last, ours or not
    heard_digest BLOB NOT NULL DEFAULT (zeroblob(32)),
    witnessed_number INTEGER NOT NULL DEFAULT 0,  -- up to here a witnessed checkpoint covers it (rule 2.6)
    released_number INTEGER NOT NULL DEFAULT 0  -- up to here files are gone
) STRICT;
CREATE UNIQUE INDEX one_current_origin ON origins (body) WHERE state = 'current';
CREATE TABLE outgoing (
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('letter', 'receipt', 'deadline', 'command')),
    key TEXT NOT NULL,                      -- message id of a letter; what makes anything else one and the same
    state TEXT NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'signed', 'taken', 'refused', 'void')),
    reason TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    created INTEGER NOT NULL,
    record BLOB NOT NULL,                   -- framed Signed: statement without number, no signature, contents
    UNIQUE (body, kind, key)
) STRICT;
CREATE INDEX drafts ON outgoing (body, id) WHERE state = 'draft';
CREATE INDEX unsettled ON outgoing (body, state, created) WHERE state IN ('draft', 'signed');
CREATE INDEX outgoing_by_age ON outgoing (body, kind, id);
CREATE TABLE statements (
    id INTEGER PRIMARY KEY,
    origin INTEGER NOT NULL REFERENCES origins (id),
    number INTEGER NOT NULL,
    digest BLOB NOT NULL,
    statement BLOB NOT NULL,
    signature BLOB NOT NULL,
    outgoing INTEGER REFERENCES outgoing (id),  -- NULL for open and void
    withdrawn INTEGER NOT NULL DEFAULT 0    -- 1: never taken, another statement has this number
) STRICT;
CREATE UNIQUE INDEX one_statement_per_number ON statements (origin, number) WHERE withdrawn = 0;
CREATE INDEX statements_by_digest ON statements (digest);
CREATE INDEX statements_of_outgoing ON statements (outgoing) WHERE outgoing IS NOT NULL;
CREATE TABLE incoming (
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('letter', 'receipt', 'rejection', 'deadline', 'command')),
    digest BLOB NOT NULL,                   -- of the statement; of a rejection, that of the letter rejected
    sender TEXT NOT NULL,
    received INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'received'
        CHECK (state IN ('received', 'staged', 'handed', 'skipped', 'failed')),
    reason TEXT NOT NULL DEFAULT '',        -- of a rejection, or why the hand-over waits or failed
    detail TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try INTEGER NOT NULL DEFAULT 0,
    message_id TEXT NOT NULL DEFAULT '',
    document_id TEXT NOT NULL DEFAULT '',
    reg_number TEXT NOT NULL DEFAULT '',    -- the sender's registration of a letter
    own_reg_number TEXT NOT NULL DEFAULT '',  -- the recipient's, once its EDMS registered the letter
    outgoing INTEGER REFERENCES outgoing (id),  -- of receipt and rejection: our letter concerned
    record BLOB NOT NULL,                   -- framed Journalled, as it stood in the inbox; empty where nobody asks
    command BLOB NOT NULL DEFAULT (x''),    -- digest of the command on whose word it is handed over again
    UNIQUE (body, kind, digest)
) STRICT;
CREATE INDEX to_hand_over ON incoming (body, id) WHERE state IN ('received', 'staged');
CREATE INDEX incoming_by_age ON incoming (body, kind, id);
CREATE INDEX incoming_by_message ON incoming (body, message_id) WHERE kind = 'letter';
CREATE INDEX incoming_by_document ON incoming (body, document_id) WHERE kind = 'letter';
CREATE INDEX incoming_by_number ON incoming (body, reg_number) WHERE kind = 'letter' AND reg_number <> '';
CREATE INDEX incoming_by_own_number ON incoming (body, own_reg_number)
    WHERE kind = 'letter' AND own_reg_number <> '';
CREATE INDEX incoming_of_outgoing ON incoming (outgoing) WHERE outgoing IS NOT NULL;
CREATE TABLE flagged (                      -- what failed verification, for people to look at
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    "offset" INTEGER NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    received INTEGER NOT NULL,
    record BLOB NOT NULL                    -- how it begins
) STRICT;
CREATE TABLE inputs (                       -- EDMS packages that were taken in, by digest
    body TEXT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (body, digest)
) STRICT, WITHOUT ROWID;
{CONTRADICTIONS}{COVERED}
"""


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables of a new spool, or make sure that an old one is whole and of this version.

    Raises:
        SpoolError: `spool-version`, `spool-corrupt`.
        sqlite3.Error: the file cannot be read or written.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0 and not connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall():
        connection.executescript(
            f"BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION_ID};"
            f" PRAGMA user_version = {VERSION}; COMMIT;"
        )
        return
    if version == 1:
        connection.executescript(
            "BEGIN IMMEDIATE; ALTER TABLE inboxes ADD COLUMN reached INTEGER; PRAGMA user_version = 2; COMMIT;"
        )
        version = 2
    if version == 2:
        _know_deadlines_and_commands(connection)
        version = 3
    if version == 3:
        connection.executescript(
            "BEGIN IMMEDIATE; ALTER TABLE origins ADD COLUMN witnessed_number INTEGER NOT NULL DEFAULT 0;"
            " ALTER TABLE origins ADD COLUMN released_number INTEGER NOT NULL DEFAULT 0;"
            f" {CONTRADICTIONS} {COVERED} PRAGMA user_version = 4; COMMIT;"
        )
        version = VERSION
    if version != VERSION:
        message = f"the spool has schema version {version}, this agent knows {VERSION}: use the agent that wrote it"
        raise SpoolError(message, code="spool-version")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise corrupt(verdict)


def _know_deadlines_and_commands(connection: sqlite3.Connection) -> None:
    """From version 2 to 3: more kinds are allowed, which no row is touched for (SQLite's "other kinds of changes")."""
    kinds = {
        "outgoing": ("'letter', 'receipt'", "'letter', 'receipt', 'deadline', 'command'"),
        "incoming": ("'letter', 'receipt', 'rejection'", "'letter', 'receipt', 'rejection', 'deadline', 'command'"),
    }
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ALTER TABLE incoming ADD COLUMN command BLOB NOT NULL DEFAULT (x'')")
    (schema_version,) = connection.execute("PRAGMA schema_version").fetchone()
    connection.execute("PRAGMA writable_schema = ON")
    for table, (old, new) in kinds.items():
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?", (old, new, table)
        )
    connection.execute(f"PRAGMA schema_version = {schema_version + 1}")
    connection.execute("PRAGMA writable_schema = OFF")
    connection.execute("PRAGMA user_version = 3")
    connection.execute("COMMIT")


def corrupt(finding: str) -> SpoolError:
    """The error of a damaged file, with the way out."""
    message = (
        f"the spool is damaged ({finding[:200]}): stop the agent, put the file aside, then start with the"
        " latest backup of it, or with none: the agent finds out what the exchange has and opens a new origin"
    )
    return SpoolError(message, code="spool-corrupt")
