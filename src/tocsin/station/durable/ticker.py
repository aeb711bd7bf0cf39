"""The ticker: the one thread that takes what came, lets the core decide, and makes it durable; then lets others act.

Implements group commit: what came from all feeds while one tick was being made durable shares the next. Whoever
delivered is told after the commit and not before (FAULTS §3.2). With no space or no database it takes no reports, goes
on with open ladders in memory, says "not in the record" on what it then must send, and catches up when it can (FAULTS
6, 12); a write whose fate is not known stops it for good (FAULTS 5). What is decided is `core/step.py`'s.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tocsin.clock import US_PER_S
from tocsin.errors import StoreAwayError, StoreError, StoreFullError
from tocsin.station.core.health import Health, HealthNote
from tocsin.station.core.inputs import Inputs
from tocsin.station.core.state import Commit, State, begin
from tocsin.station.core.step import tick
from tocsin.station.core.terms import Terms
from tocsin.station.durable.door import Door
from tocsin.station.durable.room import Room
from tocsin.station.durable.rows import NO_CHORES, Chores, write_of
from tocsin.station.durable.timing import StationClock
from tocsin.station.durable.waiting import Waiting
from tocsin.store.store import Store, Write
from tocsin.tracks.order import FeedPolicy
from tocsin.warn.inputs import CallPerson, Send

log = logging.getLogger(__name__)

IDLE_S = 1.0
"""Longest time between two ticks, seconds: what the watermark and the watchdog need."""

MAX_TICK_REPORTS = 50_000
"""Reports that one tick takes."""

EMERGENCY_S = 2.0
"""How long a decided message waits for a database that cannot write, seconds; then it goes out, marked."""

RETRY_S = 0.5
"""Between two tries of a write that was refused, seconds."""

MAX_UNWRITTEN = 100_000
"""Ticks that may be decided and not durable before the station stops: a day at one a second."""

LAST_WORDS_S = 30.0
"""How long a station that failed waits for its message about that to be out, seconds."""

UNRECORDED = "This message is not in the record: the station cannot write at the moment."
"""First line of what goes out although it could not be recorded first."""


class _Decided(Struct, kw_only=True):
    """A tick that is decided and not durable yet."""

    commit: Commit
    write: Write
    told: Waiting
    since_us: int
    is_out: bool = False
    """True once its messages went out without being recorded."""


Listener = Callable[[Commit], None]


class Ticker(Door):
    """The station's one writer; what it takes from others is `Door`'s.

    Parameters
    ----------
    store : Store
    state : State or None
        As the last process left it; None for a new station, whose first tick brings the agreement.
    clock : StationClock
    room : Room
        The disk that must not fill.

    Attributes
    ----------
    send : callable
        Takes an attempt that is to be made; called once it is durable, or in an emergency. To be set before `start`,
        like the next two.
    last_words : callable
        Told why the station has failed, after everybody who waits for it.
    chores : callable
        Returns what else a commit's transaction is to keep.
    afterwards : callable
        Called with the state once all that it decided is durable and everybody who waited for it is told.
    on_commit : list of callable
        Called with every commit once it is durable.
    state : State or None
        After the last decided tick; the thread's own.
    committed_tick, committed_entries : int
    counters : dict
    silent_feeds : list of str
        As of the last durable tick.
    """

    def __init__(self, store: Store, state: State | None, *, clock: StationClock, room: Room) -> None:
        super().__init__()
        self.state = state
        self.committed_tick = state.tick if state else 0
        self.committed_entries = state.entry_count if state else 0
        self.counters = {name: counts.as_json() for name, counts in state.counts.items()} if state else {}
        self.silent_feeds: list[str] = []
        self.send: Callable[[Send | CallPerson], None] = _nobody
        self.last_words: Callable[[str], None] = lambda _: None
        self.on_commit: list[Listener] = []
        self.chores: Callable[[Commit], Chores] = lambda _: NO_CHORES
        self.afterwards: Callable[[State], None] = lambda _: None
        self._store = store
        self._clock = clock
        self._room = room
        self._decided: deque[_Decided] = deque()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    # --- from any thread -------------------------------------------------------------------------------------------

    def start(
        self, version: Terms | None, feeds: dict[str, FeedPolicy], notes: Sequence[HealthNote], *, log_key: str
    ) -> None:
        """Make the first tick of this process, then run.

        Parameters
        ----------
        version : Terms or None
            An agreement version that comes into force with it.
        feeds : dict of str to FeedPolicy
        notes : sequence of HealthNote
        log_key : str
            The vkey of the record's log.
        """
        inputs = Inputs(
            agreement=version.written if version else None, started=feeds, log_key=log_key, notes=tuple(notes)
        )
        self._tick(inputs, Waiting(), version)
        if self.failed is None and self._decided:
            self._flush()
        self._thread.start()

    def now_us(self) -> int:
        """Return the station's time."""
        return self._clock.now_us()

    def stop(self) -> None:
        """Make a last tick with what waits, and end the thread."""
        with self._change:
            self._stopping = True
            self._change.notify()
        self._thread.join()

    def wait(self) -> None:
        """Wait until the thread has said its last words, if it has any."""
        if self._thread.is_alive():
            self._thread.join(LAST_WORDS_S)

    @property
    def is_running(self) -> bool:
        """True until it stops or fails."""
        return self._thread.is_alive() and self.failed is None

    # --- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self.failed is None:
                if self._found_wrong is not None:
                    self._fail(self._found_wrong)
                    break
                taken, stopping = self._take()
                self._watch_over()
                inputs, version = taken.inputs()
                self._tick(inputs, taken, version)
                self._flush()
                if self.state is not None and not self._decided:
                    self.afterwards(self.state)
                if stopping and not self._waiting:
                    break
        except Exception as error:  # the last resort: it is said, and nothing is acknowledged any more
            log.exception("station.failed")
            self._fail(f"{type(error).__name__}: {error}")

    def _take(self) -> tuple[Waiting, bool]:
        """Wait for something to do, and take all of it that one tick takes."""
        with self._change:
            if not self._waiting and not self._stopping and self._found_wrong is None:
                self._change.wait(self._pause_s())
            taken = self._waiting
            self._waiting = taken.beyond(MAX_TICK_REPORTS)
            return taken, self._stopping

    def _pause_s(self) -> float:
        pause_s = RETRY_S if self._decided else IDLE_S
        due = self.state.docket.due.next() if self.state else None
        if due is not None:
            pause_s = min(pause_s, max(0.0, (due.at_us - self._clock.now_us()) / US_PER_S))
        return pause_s

    def _watch_over(self) -> None:
        """Notice what the clock and the disk do."""
        for jump in self._clock.jumps():
            self.note(HealthNote(kind=Health.CLOCK, about=str(jump.kind), detail=jump.reason))
        if self._room.is_short() and self.blocked is None:
            self._block(HealthNote(kind=Health.FULL, about="disk", detail=self._room.sentence()))

    def _tick(self, inputs: Inputs, told: Waiting, version: Terms | None) -> None:
        now_us = max(self._clock.now_us(), self.state.now_us if self.state else 0)
        if self.state is None:
            if version is None:
                raise ValueError("the first tick brings no agreement")
            self.state = begin(version)
        self.state, commit = tick(self.state, inputs, now_us, terms=version)
        write = write_of(commit, inputs, clock=self._clock.keep(), chores=self.chores(commit))
        self._decided.append(_Decided(commit=commit, write=write, told=told, since_us=now_us))
        if len(self._decided) > MAX_UNWRITTEN:
            self._fail(f"{len(self._decided)} ticks could not be written")

    def _flush(self) -> None:
        """Make what is decided durable, in order, and let others act on it."""
        while self._decided and self.failed is None:
            first = self._decided[0]
            try:
                self._store.write(first.write)
            except (StoreFullError, StoreAwayError) as error:
                self._hold(error)
                return
            except StoreError as error:
                self._fail(str(error))
                return
            self._decided.popleft()
            self._done(first)
        if self.blocked is not None and not self._decided and self._room.make():
            again = Health.SPACE_AGAIN if self.blocked.kind is Health.FULL else Health.AWAY
            self.blocked = None
            self.note(HealthNote(kind=again, about="store", detail="reports are taken again"))

    def _done(self, decided: _Decided) -> None:
        commit, told = decided.commit, decided.told
        if not decided.is_out:
            for send in commit.sends:
                self.send(send)
        self.committed_tick, self.committed_entries = commit.tick, commit.first_entry + len(commit.entries)
        self.counters = commit.counters
        self.silent_feeds = commit.silent
        for listener in self.on_commit:
            listener(commit)
        told.tell(commit)

    def _hold(self, error: StoreError) -> None:
        """Take no reports until the database writes again; what must be said meanwhile is said, and marked."""
        is_full = isinstance(error, StoreFullError)
        if is_full:
            self._room.release()
        if self.blocked is None:
            kind = Health.FULL if is_full else Health.AWAY
            self._block(HealthNote(kind=kind, about="store", detail=str(error)))
        now_us = self._clock.now_us()
        for decided in self._decided:
            if not decided.is_out and now_us - decided.since_us >= EMERGENCY_S * US_PER_S:
                decided.is_out = True
                for send in decided.commit.sends:
                    body = f"{UNRECORDED}\n{send.message.body}"
                    self.send(replace(send, message=replace(send.message, body=body)))

    def _block(self, note: HealthNote) -> None:
        log.error("station.blocked", extra={"kind": str(note.kind), "detail": note.detail})
        self.blocked = note
        self.note(note)

    def _fail(self, why: str) -> None:
        log.critical("station.failed", extra={"reason": why})
        with self._change:
            self.failed = why
            waiting = self._waiting
        for told in (*(decided.told for decided in self._decided), waiting):
            told.refuse(f"the station has stopped: {why}")
        self.last_words(why)


def _nobody(attempt: Send | CallPerson) -> None:
    raise RuntimeError(f"nobody sends {attempt.message.message_id}")
