"""The publisher: entries that a tick has committed, into the record's folder, and signed.

Entries have their index from the core; what the record has already is not appended again, so a crash between the two
stores doubles and loses nothing (FAULTS 73). At most a second or 256 entries wait for a checkpoint. A record longer
than the store knows is a store from yesterday's backup: refused, never continued (FAULTS 9). What is published goes
round the agreement's witnesses, and nothing waits for them.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from tocsin.clock import monotonic_us
from tocsin.errors import RecordError, StoreError, VerificationError
from tocsin.record.envelope import parse_envelope
from tocsin.record.keyfiles import open_log
from tocsin.record.keys import create_key, load_key
from tocsin.record.leaf import EntryKind, Sealed
from tocsin.record.log import RECORD, Log
from tocsin.record.verifier.keychain import HANDOVER, key_entry
from tocsin.record.verifier.verify import LOG_VKEY
from tocsin.record.witness.cosigning import Cosigning
from tocsin.record.witness.naming import policy_in_force
from tocsin.station.core.health import Health, HealthNote
from tocsin.station.core.inputs import Kept
from tocsin.station.core.terms import Terms
from tocsin.station.durable.timing import StationClock
from tocsin.station.publish.asked import DISCLOSURE_MARK, KEY_MARK, Asked
from tocsin.store import schema
from tocsin.store.connect import as_store_error
from tocsin.store.store import Store

log = logging.getLogger(__name__)

KEY = "keys/log.key"
PORTION = 256
"""Entries appended at a time: one bundle."""

RETRY_S = 5.0
"""How long after a refusal of the disk the next try is made, seconds."""

WITNESSES_MARK = f'"kind":"{EntryKind.WITNESSES}"'.encode()
"""What the envelope of an entry holds that names witnesses."""

PAUSE_S = 0.2
"""Longest time between two looks, seconds."""

GATHER_S = 0.05
"""How long entries gather before they are appended, seconds: what a tick decided is sent first, and recorded then; it
is durable in the store already."""


class Publisher:
    """The thread that writes the record.

    Parameters
    ----------
    folder : Path
        The data folder; the record is begun in it if there is none.
    store : Store
    terms : Terms
        Its id is part of a new log's origin; its `log_keys`, if it names any, must name this log's.
    clock : StationClock
    note : callable
        Takes what befalls the record.
    keep : callable
        Takes entries that the record's keeper asked for (`asked.py`).

    Raises
    ------
    RecordError
        If the log's key is none of the agreement's, or a witness remembers another history.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        *,
        terms: Terms,
        clock: StationClock,
        note: Callable[[HealthNote], None],
        keep: Callable[[Kept], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._note = note
        self._log = _open(folder, terms.agreement.id)
        self.size = self._log.size
        """Entries that the record has durably."""
        self.log_key = (self._log.read(LOG_VKEY) or b"").decode().strip()
        self.witnesses: dict[str, Any] | None = None
        """How far the witnesses stand behind the record; None where the record names none."""
        self._cosigning: Cosigning | None = None
        try:
            keys = terms.custody.log_keys if terms.custody else ()
            if keys and keys_of(self._log).isdisjoint(keys):
                raise RecordError(
                    f"found a log of key {self.log_key}, expected one of the agreement's: {', '.join(keys)}"
                )
            self._name_witnesses()
            if self._cosigning is not None:
                self._cosigning.require_not_behind(clock.now_us())
        except BaseException:
            self._log.close()
            raise
        self._asked = Asked(folder, self._log, keep=keep, now_us=clock.now_us)
        self.failed: str | None = None
        self._change = threading.Condition()
        self._wanted = self.size
        self._stopping = False
        self._is_ill = False
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    @property
    def origin(self) -> str:
        """The log's name."""
        return self._log.origin

    def check(self, entry_count: int) -> None:
        """Check that the record and a store of so many entries are of one history.

        Raises
        ------
        RecordError
            If the record is longer, or entries between the two are missing.
        """
        if self.size > entry_count:
            raise RecordError(
                f"found a record of {self.size} entries and a store of {entry_count}: one of them is from a backup; "
                "put the other half of the backup back too, or begin a new data folder"
            )
        held = self._held(self.size, 1)
        if self.size < entry_count and (not held or held[0].entry_index != self.size):
            raise RecordError(
                f"entry {self.size} is neither in the record nor in the store: the record is from a backup"
            )
        self._wanted = entry_count

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def want(self, entry_count: int) -> None:
        """Say how many entries are committed by now."""
        if entry_count > self._wanted:  # most ticks make no entry, and wake nobody
            with self._change:
                self._wanted = entry_count
                self._change.notify()

    def stop(self) -> None:
        """Publish what is committed, and end the thread."""
        with self._change:
            self._stopping = True
            self._change.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._log.close()

    def _run(self) -> None:
        while True:
            with self._change:
                if self._wanted <= self.size and not self._stopping:
                    self._change.wait(PAUSE_S)
                if 0 < self._wanted - self.size < PORTION:
                    self._change.wait_for(lambda: self._stopping, GATHER_S)
                wanted, stopping = self._wanted, self._stopping
            try:
                self.turn(wanted, is_last=stopping)
                self._is_well()
            except VerificationError as error:
                self._fail(str(error))
                return
            except (RecordError, StoreError) as error:
                self._is_not_well(str(error))
                with self._change:
                    self._change.wait(RETRY_S)
            except Exception as error:
                log.exception("record.publish")
                self._fail(f"{type(error).__name__}: {error}")
                return
            if stopping:
                return

    def turn(self, wanted: int, *, is_last: bool = False) -> None:
        """Do once what the thread does all the time: append, carry out what is asked, publish.

        Parameters
        ----------
        wanted : int
            Entries that are committed.
        is_last : bool
            True if nothing comes after it: what is asked waits for the next start, and what waits is published.
        """
        self._append(wanted)
        if not is_last:
            self._asked.look()
        if is_last or self._log.is_due(monotonic_us()):
            self._log.publish()
        self._ask_witnesses()

    def _append(self, wanted: int) -> None:
        while self.size < wanted:
            rows = self._held(self.size, min(PORTION, wanted - self.size))
            if not rows:
                raise VerificationError(f"entry {self.size} is not in the store")
            sealed = [Sealed(envelope=row.envelope, salt=row.salt, payload=row.payload) for row in rows]
            asked = next((n for n, entry in enumerate(sealed) if _is_asked(entry)), len(sealed))
            if asked:
                sealed = sealed[:asked]
                self._log.append_sealed(sealed, at_size=self.size)
            else:
                sealed = sealed[:1]
                self._asked.append(sealed[0])
                self.log_key = str(self._log.vkey)
            self.size = self._log.size
            if any(WITNESSES_MARK in entry.envelope for entry in sealed):
                self._name_witnesses()
            if self._log.is_due(monotonic_us()):
                self._log.publish()

    def _name_witnesses(self) -> None:
        policy = policy_in_force(self._log)
        self._cosigning = Cosigning(self._log, policy) if policy else None

    def _ask_witnesses(self) -> None:
        cosigning = self._cosigning
        if cosigning is None:
            return
        cosigning.tick(self._clock.now_us())
        self.witnesses = cosigning.status().as_json()
        if cosigning.contradiction:
            raise VerificationError(cosigning.contradiction)

    def _held(self, start: int, count: int) -> list[Any]:
        table = schema.log_entries
        query = select(table).where(table.c.entry_index >= start).order_by(table.c.entry_index).limit(count)
        try:
            with self._store.reader() as connection:
                return list(connection.execute(query))
        except DBAPIError as error:
            raise as_store_error(error) from error

    def _is_well(self) -> None:
        if self._is_ill:
            self._is_ill = False
            self._note(HealthNote(kind=Health.RECORD, about="record", detail="it is published again"))

    def _is_not_well(self, why: str) -> None:
        if not self._is_ill:
            self._is_ill = True
            self._note(HealthNote(kind=Health.RECORD, about="record", detail=f"it cannot be published: {why}"))

    def _fail(self, why: str) -> None:
        self.failed = why
        detail = f"nothing is signed any more: {why}; the station goes on, and its entries wait in the store"
        self._note(HealthNote(kind=Health.RECORD, about="record", detail=detail))


def keys_of(log: Log) -> frozenset[str]:
    """Return every key that a log ever had: the one that signs, and those that were handed over from."""
    keys = {str(log.vkey)}
    for path in (log.folder / RECORD / HANDOVER).glob("*"):
        envelope = parse_envelope(log.opening(int(path.name)).envelope)
        keys.add(str(key_entry(int(path.name), envelope.open).old))
    return frozenset(keys)


def _is_asked(entry: Sealed) -> bool:
    return KEY_MARK in entry.envelope or DISCLOSURE_MARK in entry.envelope


def _open(folder: Path, agreement_id: str) -> Log:
    path = folder / KEY
    if (folder / "record" / "checkpoint").exists():
        return open_log(folder)
    key = load_key(path) if path.exists() else create_key(path, f"tocsin.station/{agreement_id}/{secrets.token_hex(4)}")
    return Log.create(folder, key=key)
