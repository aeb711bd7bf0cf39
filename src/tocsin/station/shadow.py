"""Shadow: what a station would tell if a draft had come into force, worked out beside it while it runs.

It begins with the state that the station has kept, puts the draft in force as the next version, and then takes tick by
tick what the station took, as `step.py` decides it. It only reads the store; no message leaves, nothing is recorded,
and the station neither waits nor knows. Every attempt counts as handed over; people's answers are taken where the case
is one that the station has, too. Late reports are not looked at again for the draft.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Select, Table, select
from sqlalchemy.exc import DBAPIError

from tocsin.canon import canonical_line, parse_json
from tocsin.errors import StoreError
from tocsin.station.core.inputs import Inputs, load_inputs
from tocsin.station.core.state import Commit, State
from tocsin.station.core.step import tick
from tocsin.station.core.terms import Terms, check_successor
from tocsin.station.durable.rows import restore
from tocsin.station.past.recent import open_reader
from tocsin.store import schema
from tocsin.store.connect import as_store_error
from tocsin.store.reading import KeptTick, StoreReader
from tocsin.units import format_instant
from tocsin.warn.facts import FactKind
from tocsin.warn.inputs import Reported
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Outcome

TOLD = frozenset({FactKind.CASE_OPENED, FactKind.MESSAGE})
"""Kinds of fact that are compared, beside the events."""

MOST_TRIES = 3
"""How often the beginning is tried anew because the station let go of what was just being read."""

AT_A_TIME = 100
"""Ticks that are read at once: a reader that stays in the store keeps its journal from being folded in."""

BOTH, DRAFT, IN_FORCE = "both", "draft", "in_force"

HANDED_OVER = Outcome(state=MessageState.HANDED_OVER, reason="rehearsed, not sent", transport="rehearsal")
"""What becomes of every attempt, so that the ladder goes on as if it had been made."""


class Compared(Struct, frozen=True, kw_only=True):
    """Something that the draft would have told, the version in force did, or both.

    Attributes
    ----------
    by : str
        `draft`, `in_force` or `both`.
    at_us : int
        Of the tick that told it.
    sort : str
        `event`, the fact's kind, or `version` where another came into force in the station: the draft stays beside it.
    told : dict
        As it stands, or would stand, in the station's store.
    """

    by: str
    at_us: int
    sort: str
    told: dict[str, Any]

    def as_line(self) -> bytes:
        """Return it as a line of JSON."""
        return canonical_line({"by": self.by, "at": format_instant(self.at_us), self.sort: self.told})


class Shadow:
    """A draft that follows a station.

    Parameters
    ----------
    folder : Path
        The station's data folder.
    draft : Terms
        A later version of the agreement in force.
    store_url : str or None
        As the station was given it; None: the file in the folder.

    Attributes
    ----------
    begun_us : int
        Since when the draft is as if in force; microseconds.
    counts : Counter of (str, str)
        How much of each sort was told by whom.

    Raises
    ------
    StoreError
        If there is no station's store, or it cannot be followed.
    RefusedError
        If the draft is another agreement, or no later version.
    """

    def __init__(self, folder: Path, draft: Terms, *, store_url: str | None = None) -> None:
        self._store = open_reader(folder, store_url)
        try:
            self._state = _state_of(self._store, folder)
            check_successor(self._state.terms, draft)
        except BaseException:
            self._store.close()
            raise
        self._last = self._state.tick
        self.begun_us = self._state.now_us
        self.counts: Counter[tuple[str, str]] = Counter()
        self._first: Commit | None
        self._state, self._first = tick(self._state, Inputs(agreement=draft.written), self.begun_us, terms=draft)

    def step(self) -> Iterator[Compared]:
        """Yield what came of every tick that the station has made since the last step.

        Raises
        ------
        StoreError
            If ticks have left the store before they were read.
        """
        first, self._first = self._first, None
        if first is not None:
            yield from self._compared(first, [])
        try:
            while some := list(islice(self._store.ticks_after(self._last), AT_A_TIME)):
                yield from self._take(some)
        except DBAPIError as error:
            raise as_store_error(error) from error

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def _take(self, some: Sequence[KeptTick]) -> Iterator[Compared]:
        for kept in some:
            if kept.tick != self._last + 1 or kept.inputs is None:
                raise StoreError(f"tick {self._last + 1} has left the store before it was read: follow it anew")
            self._last = kept.tick
            commit = self._decide(kept, kept.inputs)
            for row in self._rows(select(schema.agreements.c.version).where(schema.agreements.c.tick == kept.tick)):
                yield Compared(by=IN_FORCE, at_us=kept.at_us, sort="version", told={"version": row.version})
            yield from self._compared(commit, self._told(kept.tick))

    def _decide(self, kept: KeptTick, rest: bytes) -> Commit:
        """Return what a tick of the station decides under the draft."""
        state, inputs = self._state, load_inputs(rest, kept.reports)
        docket = state.docket
        before = tuple(
            replace(one, events=tuple(event for event in one.events if event.at_us < self.begun_us))
            for one in inputs.corrected
        )
        inputs = replace(
            inputs,
            agreement=None,
            answers=tuple(answer for answer in inputs.answers if docket.case_about(answer) is not None),
            mutes=tuple(muting for muting in inputs.mutes if docket.case_named(muting.case_id) is not None),
            outcomes=tuple(
                Reported(message_id=message_id, number=number, outcome=HANDED_OVER)
                for message_id, number in state.in_flight.values()
            ),
            corrected=before,
        )
        self._state, commit = tick(state, inputs, kept.at_us)
        return commit

    def _compared(self, commit: Commit, did: Sequence[tuple[str, bytes]]) -> Iterator[Compared]:
        would = [("event", event.as_line()) for event in commit.events]
        would += [(str(fact["kind"]), canonical_line(fact)) for fact in commit.facts if fact["kind"] in TOLD]
        shared = Counter(would) & Counter(did)
        for by, told in ((DRAFT, would), (IN_FORCE, did)):
            left = Counter(shared)
            for sort, line in told:
                is_shared = left[sort, line] > 0
                left[sort, line] -= is_shared
                if is_shared and by is IN_FORCE:
                    continue  # said once
                who = BOTH if is_shared else by
                self.counts[who, sort] += 1
                yield Compared(by=who, at_us=commit.at_us, sort=sort, told=parse_json(line))

    def _told(self, number: int) -> list[tuple[str, bytes]]:
        """Return what a tick of the station told, as its store has it."""
        facts = [(parse_json(line)["kind"], line) for line in self._lines(schema.facts, number)]
        return [*(("event", line) for line in self._lines(schema.events, number)), *(f for f in facts if f[0] in TOLD)]

    def _lines(self, table: Table, number: int) -> list[bytes]:
        """Return the lines of a table that a tick wrote, without their ends."""
        query = select(table.c.line).where(table.c.tick == number).order_by(table.c.seq)
        return [bytes(row.line) for row in self._rows(query)]

    def _rows(self, query: Select[Any]) -> list[Any]:
        with self._store.reader() as connection:
            return list(connection.execute(query))


def _state_of(store: StoreReader, folder: Path) -> State:
    """Return the state of a station after its last tick."""
    for tries in range(MOST_TRIES):
        try:
            state = restore(store, folder)
        except StoreError:
            if tries + 1 == MOST_TRIES:
                raise
            continue
        if state is not None:
            return state
        break
    raise StoreError(f"{folder}: found no tick, expected a station that has begun")
