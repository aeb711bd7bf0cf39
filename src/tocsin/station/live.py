"""The live station: feeds in, warnings out, all of it plugged together and nothing decided here.

Implements DESIGN §2 and P4 for a folder: opens the store, takes up where the last process left off, runs feeds,
senders, the record's publisher and the ticker between them, and answers to `serve` (`api.py`). Stops cleanly when told
to; any other end is what the store is for.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tocsin.agreement.model import Agreement
from tocsin.agreement.terms.state import given
from tocsin.errors import RefusedError, StoreError
from tocsin.record.files import Lock, make_folder
from tocsin.station.core.counters import counters_json
from tocsin.station.core.health import Health, HealthNote
from tocsin.station.core.keeping import message_of
from tocsin.station.core.state import Commit, State
from tocsin.station.core.terms import AgreementText, Terms, check_successor, compile_terms
from tocsin.station.durable.room import Room
from tocsin.station.durable.rows import CLOCK, Chores, read_newest, take_up
from tocsin.station.durable.snapshots import Snapshots
from tocsin.station.durable.ticker import Ticker
from tocsin.station.durable.timing import StationClock
from tocsin.station.feeding import Feeding
from tocsin.station.noticebook import NoticeBook
from tocsin.station.past.archive import NOTHING, Archivist
from tocsin.station.past.journal import Ahead
from tocsin.station.past.lookback import Lookback
from tocsin.station.past.recent import STORE
from tocsin.station.publish.publisher import Publisher
from tocsin.station.reads import Reads
from tocsin.station.senders import Senders
from tocsin.station.warm import warm_up
from tocsin.store.connect import sqlite_url
from tocsin.store.store import Store
from tocsin.tracks.feeds.feed import Delivery, Feed
from tocsin.warn.answers.token import Bound, Good, check_token
from tocsin.warn.channels.config import Transports
from tocsin.warn.inputs import Answer, Muting, Rejected
from tocsin.warn.telling import Message

log = logging.getLogger(__name__)

LOCK = "station.lock"


class Settings(Struct, frozen=True, kw_only=True):
    """How a station is run.

    Attributes
    ----------
    folder : Path
        Everything that it keeps lies in here.
    agreement : AgreementText
    feeds : sequence of Feed
    transports : Transports
    store_url : str or None
        None: a SQLite file in the folder.
    allow_unsafe : bool
        Go on with a database whose settings can lose what was acknowledged.
    """

    folder: Path
    agreement: AgreementText
    feeds: Sequence[Feed]
    transports: Transports
    store_url: str | None = None
    allow_unsafe: bool = False


class LiveStation(Reads):
    """A station of one data folder; implements `api.StationApi`.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    RecordError
        If another process runs a station in this folder, or its parts are not of one history.
    StoreError
        If the database cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = settings.folder
        self._recorded: int | None = None
        folder = settings.folder
        make_folder(folder)
        self._lock = Lock(folder / LOCK)
        self._closing: list[Callable[[], None]] = [self._lock.close]
        try:
            self._open(folder)
        except BaseException:
            self._close()
            raise

    def _open(self, folder: Path) -> None:
        settings = self._settings
        self._store = Store(settings.store_url or sqlite_url(folder / STORE), allow_unsafe=settings.allow_unsafe)
        self._closing.append(self._store.close)
        super().__init__(self._store)
        newest = read_newest(self._store, folder)
        self._terms = compile_terms(settings.agreement)
        warm_up(self._terms)
        state, replayed = take_up(self._store, folder, known=[self._terms], newest=newest)
        self._is_new = state is None
        if state is not None and settings.agreement.routes is None and state.terms.written.routes is not None:
            self._terms = compile_terms(replace(settings.agreement, routes=state.terms.written.routes))
        self._version = _new_version(state, self._terms)
        self._clock = StationClock(self._store.value(CLOCK), at_least_us=state.now_us if state else 0)
        self.ticker = Ticker(self._store, state, clock=self._clock, room=Room(folder))
        self._feeding = Feeding(
            settings.feeds, dict(state.positions) if state else {}, deliver=self.deliver, note=self.ticker.note
        )
        self.notices = NoticeBook(self.ticker, self._terms)
        self.publisher = Publisher(
            folder, self._store, terms=self._terms, clock=self._clock, note=self.ticker.note, keep=self.ticker.keep
        )
        self._closing.append(self.publisher.stop)
        self.publisher.check(self.ticker.committed_entries)
        self._lookback = Lookback(self._store, folder, correct=self.ticker.correct, note=self.ticker.note)
        self._closing.append(self._lookback.stop)
        self._senders = Senders(settings.transports, report=self.ticker.report, now_us=self._clock.now_us)
        self._snapshots = Snapshots(folder, self._store, replayed=replayed)
        self._closing.append(self._snapshots.close)
        self._archivist = Archivist(folder, self._store)
        self._closing.append(self._archivist.close)
        self.ticker.send = self._senders.send
        self.ticker.last_words = self._say_last_words
        self.ticker.chores = self._chores
        self.ticker.afterwards = self._snapshots.take
        self.ticker.on_commit.append(self._committed)

    # --- running ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take up where the last process left off: the first tick, then the threads."""
        notes = [HealthNote(kind=Health.STARTED, detail="for the first time" if self._is_new else "again")]
        notes += [HealthNote(kind=Health.AWAY, about="store", detail=fault) for fault in self._store.faults]
        notes += self._too_slow(self._terms)
        policies = {name: feed.policy for name, feed in self.feeds.items()}
        self.ticker.start(self._version, policies, notes, log_key=self.publisher.log_key)
        self.publisher.start()
        self._lookback.start()
        if not self._store.is_checked:
            threading.Thread(target=self._check_store, name="check", daemon=True).start()
        self._closing.append(self._settings.transports.listen(self._hear, self._told))

    async def ports(self) -> dict[str, int]:
        """Return the ports of the feeds that listen, once each has its own."""
        return await self._feeding.ports()

    def now_us(self) -> int:
        """Return the station's time, microseconds UTC."""
        return self._clock.now_us()

    def check_token(self, token: str, now_us: int) -> Bound | None:
        """Return what the token of an answer page is bound to, or None if it is none, forged or too old."""
        key = self._settings.transports.answer_key
        judged = check_token(token, key, now_us) if key is not None else None
        return judged.bound if isinstance(judged, Good) else None

    async def run(self, stop: asyncio.Event) -> None:
        """Run the feeds until told to stop, or until the station fails.

        Raises
        ------
        StoreError
            If it failed: nothing is acknowledged any more.
        """
        feeding = asyncio.create_task(self._feeding.run())
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set() and self.ticker.is_running:
                await asyncio.wait([stopping], timeout=0.2)
        finally:
            stopping.cancel()
            feeding.cancel()
            await asyncio.gather(feeding, stopping, return_exceptions=True)
        if self.ticker.failed is not None:
            raise StoreError(f"the station has stopped: {self.ticker.failed}")

    def stop(self) -> None:
        """Stop cleanly: a last tick, the record published, the store closed."""
        if self.ticker.is_running:
            self.ticker.note(HealthNote(kind=Health.STOPPED, detail="told to"))
            self._senders.stop()
            self.ticker.stop()
            self.publisher.want(self.ticker.committed_entries)
        self.ticker.wait()
        self._close()

    def _too_slow(self, terms: Terms) -> list[HealthNote]:
        """Return what is to be said of channels that are too slow for a version's ladder (FAULTS 44), in one note."""
        found = self._settings.transports.too_slow(terms.playbook)
        return [HealthNote(kind=Health.SLOW, about="channels", detail="; ".join(found))] if found else []

    def _say_last_words(self, why: str) -> None:
        """Tell the keeper that the station has stopped by itself: nothing of it can be recorded any more."""
        note = HealthNote(kind=Health.FAILED, detail=f"{why}; begin it again, and it goes on from what the disk holds")
        message = message_of(note, self.now_us())
        outcome = self._settings.transports.send(message, self.now_us())
        log.critical("station.last_words", extra={"outcome": str(outcome.state), "reason": outcome.reason})

    def _check_store(self) -> None:
        """See that a large database is sound, beside the work; stop if it is not."""
        try:
            self._store.check()
        except StoreError as error:
            self.ticker.fail(str(error))

    def _hear(self, answer: Answer | Rejected) -> None:
        """Take what came back by a channel; called from its listener's thread."""
        try:
            if isinstance(answer, Answer):
                self.ticker.answer(answer)
            else:
                detail = f"{answer.place}: {answer.reason}"
                self.ticker.note(HealthNote(kind=Health.UNREADABLE, about=answer.place.file, detail=detail))
        except RefusedError as error:
            log.warning("warn.answer_refused", extra={"reason": error.reason})

    def _told(self, message_id: str) -> Message | None:
        state = self.ticker.state
        case = state.docket.case_of_message(message_id) if state else None
        return case.message(message_id) if case else None

    def _chores(self, commit: Commit) -> Chores:
        snapshot, forgotten = self._snapshots.done()
        archive = NOTHING
        if (state := self.ticker.state) is not None:
            record = given(state.terms.agreement.record)
            keep_for_s = given(record.keep_for_s) if record else None
            archive = self._archivist.step(commit.at_us, ahead=Ahead.of(state.live.order), keep_for_s=keep_for_s)
        recorded = self.publisher.size
        is_news, self._recorded = recorded != self._recorded, recorded
        return Chores(recorded=recorded if is_news else None, snapshot=snapshot, forgotten=forgotten, archive=archive)

    def _committed(self, commit: Commit) -> None:
        self.publisher.want(commit.first_entry + len(commit.entries))
        if self.ticker.state is not None:
            self._lookback.committed(commit, self.ticker.state)

    def _close(self) -> None:
        while self._closing:
            self._closing.pop()()

    # --- what it answers -------------------------------------------------------------------------------------------

    @property
    def agreement(self) -> Agreement:
        """The agreement version in force."""
        return self._terms.agreement

    @property
    def feeds(self) -> Mapping[str, Feed]:
        """The feeds that run, by name."""
        return self._feeding.by_name

    async def deliver(self, delivery: Delivery) -> None:
        """Take reports; return when they are durable.

        Raises
        ------
        RefusedError
            If the station does not take them now.
        """
        await asyncio.wrap_future(self.ticker.deliver(delivery))

    async def answer(self, answer: Answer) -> dict[str, Any]:
        """Take an answer; return it as it was recorded, once that is durable.

        Raises
        ------
        RefusedError
            If the station does not take it now.
        """
        return (await asyncio.wrap_future(self.ticker.answer(answer))).as_json()

    async def mute(self, muting: Muting) -> dict[str, Any]:
        """Mute a case for a person; return the mute as it was recorded, once that is durable.

        Raises
        ------
        LadderError
            If the case cannot be muted, or not so.
        RefusedError
            If the station does not take it now.
        """
        return (await asyncio.wrap_future(self.ticker.mute(muting))).as_json()

    async def reload(self, text: bytes) -> dict[str, Any]:
        """Put a new version of the agreement in force; return its id, version and sha256 once that is durable.

        Raises
        ------
        AgreementErrors
            If it cannot be watched; the old version stays in force.
        RefusedError
            If it is not a later version of the same agreement.
        """
        return await self.put_in_force(replace(self._terms.written, text=text))

    async def put_in_force(self, written: AgreementText) -> dict[str, Any]:
        """Put a new version in force, with the files beside it; see `reload`. Routes go on if it brings none."""
        if written.routes is None:
            written = replace(written, routes=self._terms.written.routes)
        terms = await asyncio.to_thread(compile_terms, written)
        check_successor(self._terms, terms)
        await asyncio.wrap_future(self.ticker.put_in_force(terms))
        self._terms = terms
        for note in self._too_slow(terms):
            self.ticker.note(note)
        return {"id": terms.agreement.id, "version": terms.version, "sha256": terms.agreement.digest.hex()}

    def counters(self) -> dict[str, Any]:
        """Return the counters of every feed and of all together, as of the last durable tick."""
        return counters_json(self.ticker.counters)

    def health(self) -> dict[str, Any]:
        """Return whether the station takes reports, what is wrong if anything, and since when."""
        ticker = self.ticker
        blocked = ticker.blocked
        wrong = [text for text in (ticker.failed, blocked.detail if blocked else None, self.publisher.failed) if text]
        return {
            "ok": not wrong,
            "wrong": wrong,
            "takes_reports": ticker.failed is None and blocked is None,
            "unsafe": list(self._store.faults),
            "tick": ticker.committed_tick,
            "silent_feeds": ticker.silent_feeds,
            "record": {"origin": self.publisher.origin, "entries": self.publisher.size},
            "witnesses": self.publisher.witnesses,
        }


def _new_version(state: State | None, terms: Terms) -> Terms | None:
    """Return the terms if they come into force with this start.

    Raises
    ------
    RefusedError
        If they are not a later version of what the folder's station is about, or follow other routes.
    """
    if state is None:
        return terms
    if terms.agreement.digest == state.terms.agreement.digest:
        if terms.written.routes != state.terms.written.routes:
            raise RefusedError(
                "found other routes than the station follows, expected the same: they change with a new version"
            )
        return None
    check_successor(state.terms, terms)
    return terms
