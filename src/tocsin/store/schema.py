"""The tables of the store: what a tick of the station leaves behind, all of it in one transaction.

Implements DESIGN P4. A tick's inputs are kept whole; everything else that a tick writes follows from them and is kept
so that nothing has to be worked out again to be shown, sent or recorded. The migrations make these tables; a test
compares the two. Positions are not rows: a tick's reports are one blob, later an hour's Parquet file.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

SCHEMA_VERSION = "0001"
"""The newest migration."""

metadata = MetaData()

ticks = Table(
    "tick",
    metadata,
    Column("tick", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("reports", LargeBinary),
    Column("inputs", LargeBinary),
    Column("report_count", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Index("ix_tick_at_us", "at_us"),
)
"""A tick leaves once its hour is in the archive and two snapshots lie behind it; one at which a version of the
agreement began stays, its `reports` and `inputs` null, since looks back need its time. `digest` is that of what it
decided."""

agreements = Table(
    "agreement",
    metadata,
    Column("tick", BigInteger, primary_key=True, autoincrement=False),
    Column("agreement_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("text", LargeBinary, nullable=False),
)
"""The agreement versions in force, by the tick from which each was."""

feeds = Table(
    "feed",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", Text),
    Column("tick", BigInteger, nullable=False),
)

events = Table(
    "event",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("tick", BigInteger, nullable=False),
    Column("event_id", String(32), nullable=False),
    Column("is_final", Boolean, nullable=False),
    Column("revision", String(16), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("track_id", Text, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("line", LargeBinary, nullable=False),
    Index("ix_event_event_id", "event_id"),
    Index("ix_event_at_us", "at_us"),
)
"""`line` is the event's canonical JSON; the columns beside it are its order (FAULTS §3.3)."""

facts = Table(
    "fact",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("tick", BigInteger, nullable=False),
    Column("case_id", String(32)),
    Column("kind", String(32), nullable=False),
    Column("line", LargeBinary, nullable=False),
    Index("ix_fact_case_id", "case_id", "seq"),
)
"""What the ladder decided and heard, and what the station has to say of itself, in the order of the record."""

cases = Table(
    "case_file",
    metadata,
    Column("case_id", String(32), primary_key=True),
    Column("track_id", Text, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("line", LargeBinary, nullable=False),
    Column("dump", LargeBinary, nullable=False),
    Index("ix_case_file_opened_us", "opened_us"),
)
"""Every case as it stands: `line` for others to read, `dump` for the desk to take up again."""

outbox = Table(
    "outbox",
    metadata,
    Column("attempt_id", String(32), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("tick", BigInteger, nullable=False),
    Column("message_id", String(32), nullable=False),
    Column("number", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("message", LargeBinary, nullable=False),
    Index("ix_outbox_seq", "seq"),
)
"""Attempts that were decided and have no outcome yet."""

log_entries = Table(
    "log_entry",
    metadata,
    Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
    Column("tick", BigInteger, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)
"""Entries with their place in the record, until the record has them too."""

snapshots = Table(
    "snapshot",
    metadata,
    Column("tick", BigInteger, primary_key=True, autoincrement=False),
    Column("file", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
)

archive = Table(
    "archive",
    metadata,
    Column("hour_us", BigInteger, primary_key=True, autoincrement=False),
    Column("file", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("report_count", BigInteger, nullable=False),
    Column("last_tick", BigInteger, nullable=False),
)

station = Table(
    "station",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""Single values: the counters, the fencing number of the process that writes, what the store is."""
