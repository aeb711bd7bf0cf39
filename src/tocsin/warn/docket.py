"""The docket: the cases of a watch, what stands for each track, and where to look a case up.

What is kept is `cases`, `standing` and `now_us`; the rest is an index over the cases and is built anew from them, so
that a docket read back from its dump goes on exactly as the one that was written (`snapshot.py`). A closed case stays
for `KEPT_S`, since late answers and corrections still belong to it, and then leaves; `recall` brings one back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from tocsin.agreement.boundary import boundary_words
from tocsin.agreement.playbook import Playbook
from tocsin.clock import US_PER_S
from tocsin.warn.case import Case
from tocsin.warn.due import DueQueue
from tocsin.warn.inputs import Answer
from tocsin.warn.message import QUOTE_LENGTH, Boundary, Wording
from tocsin.warn.states import CaseState
from tocsin.warn.trigger import ladder_zones
from tocsin.watch.event import Event

KEPT_S = 7 * 86_400.0
"""Seconds that a closed case stays on the docket.

Origin: longer than the lateness of any feed and than a mail server tries, so that every delivery notice and correction
still finds its case. A case that has left is in the store, and `Docket.recall` brings it back. Lower means less memory.
"""

OVER = frozenset({CaseState.STANDING_DOWN, CaseState.CLOSED})
"""States in which new conduct belongs to a new case."""


class Playbooks:
    """The playbook in force, and those under which open cases began.

    Parameters
    ----------
    playbooks : iterable of Playbook
        Every version that an open case began under, and the one in force.
    in_force : int or None
        The version that new cases begin under; None: the highest.
    boundary : callable
        Finds the words that may not be sent; see `message.Boundary`.
    preface : str or None
        First line of every message.

    Raises
    ------
    ValueError
        If there is none, or `in_force` is not among them.
    """

    def __init__(
        self,
        playbooks: Iterable[Playbook],
        *,
        in_force: int | None = None,
        boundary: Boundary = boundary_words,
        preface: str | None = None,
    ) -> None:
        held = {playbook.version: playbook for playbook in playbooks}
        newest = max(held, default=None) if in_force is None else in_force
        if newest not in held:
            raise ValueError(f"found no playbook of version {newest}, expected one of {sorted(held)}")
        self.in_force = held[newest]
        self.wordings: Mapping[int, Wording] = {
            version: Wording(playbook=playbook, boundary=boundary, preface=preface)
            for version, playbook in held.items()
        }
        self.zones = frozenset(zone for playbook in held.values() for zone in ladder_zones(playbook))
        """Zones that any of the ladders names: what stands in them is kept, whichever is in force."""
        self.zones_in_force = frozenset(ladder_zones(self.in_force))

    def wording(self, version: int) -> Wording:
        """Return the playbook of a version, and how to put its messages into words.

        Raises
        ------
        KeyError
            If an open case began under a version that is not held.
        """
        return self.wordings[version]


class Docket:
    """Every case of a watch; taken over by `desk.step`, like `watch.state.WatchState`.

    Parameters
    ----------
    cases : iterable of Case
        In the order in which they were opened.
    standing : mapping of str to tuple of str
        What stands for each track (`trigger.stands_after`); tracks for which nothing stands are left out.
    now_us : int
        When it last took a step.
    """

    def __init__(
        self, cases: Iterable[Case] = (), *, standing: Mapping[str, tuple[str, ...]] | None = None, now_us: int = 0
    ) -> None:
        self.cases: dict[str, Case] = {}
        self.standing: dict[str, tuple[str, ...]] = dict(standing or {})
        self.now_us = now_us
        self.due = DueQueue()
        self._open: dict[str, tuple[str, ...]] = {}
        self._by_event: dict[str, str] = {}
        self._by_message: dict[str, str] = {}
        self._by_quote: dict[str, list[str]] = {}
        self._by_track: dict[str, list[str]] = {}
        self._closed: deque[tuple[int, str]] = deque()
        held = list(cases)
        for case in held:
            self.recall(case)
        self._closed = deque(sorted(self._closed))

    def recall(self, case: Case) -> None:
        """Put a case on the docket that is not on it: one read back, or one that had left.

        Raises
        ------
        ValueError
            If a case of this id is on it.
        """
        if case.case_id in self.cases:
            raise ValueError(f"case {case.case_id} is on the docket already")
        self.cases[case.case_id] = case
        self._by_quote.setdefault(case.case_id[:QUOTE_LENGTH], []).append(case.case_id)
        self._by_track.setdefault(case.track_id, []).append(case.case_id)
        if case.state not in OVER:
            self._open[case.track_id] = (*self._open.get(case.track_id, ()), case.case_id)
        for deadline in case.deadlines:
            self.due.add(deadline)
        for event in case.events:
            self._knows_event(event.event_id, case)
        for message in case.messages:
            self._by_message[message.message_id] = case.case_id
        if case.state is CaseState.CLOSED and case.closed_us is not None:
            self._closed.append((case.closed_us, case.case_id))

    def put(self, before: Case, after: Case, event: Event | None = None) -> None:
        """Put a case's next value in its place; the first one puts it on the docket."""
        if after.case_id not in self.cases:
            self.recall(after)
        self.cases[after.case_id] = after
        for message in after.messages[len(before.messages) :]:
            self._by_message[message.message_id] = after.case_id
        if event is not None and after.event(event.event_id) is not None:
            self._knows_event(event.event_id, after)
        if after.state in OVER and before.state not in OVER:
            rest = tuple(case_id for case_id in self._open.get(after.track_id, ()) if case_id != after.case_id)
            _keep(self._open, after.track_id, rest)
        if after.state is CaseState.CLOSED and before.state is not CaseState.CLOSED:
            self._closed.append((after.closed_us or 0, after.case_id))

    def stand(self, track_id: str, standing: tuple[str, ...]) -> bool:
        """Set what stands for a track; return True if that is new."""
        is_new = self.standing.get(track_id, ()) != standing
        _keep(self.standing, track_id, standing)
        return is_new

    def case_of(self, event: Event, *, is_withdrawal: bool) -> Case | None:
        """Return the case that an event belongs to: the one that knows it, else the track's open one about its zone."""
        known = self.cases.get(self._by_event.get(event.event_id, ""))
        if known is not None and (is_withdrawal or knows(known, event)):
            return known
        for case_id in self._open.get(event.track_id, ()):
            if event.zone_id in self.cases[case_id].zones:
                return self.cases[case_id]
        return None

    def case_of_message(self, message_id: str) -> Case | None:
        """Return the case that a message belongs to, or None."""
        return self.cases.get(self._by_message.get(message_id, ""))

    def case_about(self, answer: Answer) -> Case | None:
        """Return the case that an answer is about: an open one before one that is over, then the newest; or None."""
        if answer.message_id is not None:
            candidates = [self._by_message.get(answer.message_id, "")]
        elif answer.case_id is not None:
            candidates = self._by_quote.get(answer.case_id[:QUOTE_LENGTH], [])
        else:
            candidates = self._by_track.get(answer.track_id or "", [])
        found = [
            case
            for case in (self.cases[case_id] for case_id in candidates if case_id in self.cases)
            if (answer.case_id is None or case.case_id.startswith(answer.case_id))
            and (answer.track_id is None or case.track_id == answer.track_id)
        ]
        if answer.case_id is not None and len(found) > 1:
            return None
        return max(found, key=lambda case: (case.state not in OVER, case.opened_us, case.case_id), default=None)

    def case_named(self, name: str) -> Case | None:
        """Return the one case whose id begins with these eight or more digits, or None."""
        quoted = self._by_quote.get(name[:QUOTE_LENGTH], [])
        found = [case_id for case_id in quoted if case_id.startswith(name)]
        return self.cases[found[0]] if len(found) == 1 else None

    def times_begun(self, event: Event) -> int:
        """Return how many cases of the track this event has begun."""
        begun = (self.cases[case_id].events for case_id in self._by_track.get(event.track_id, ()))
        return sum(bool(events) and events[0].event_id == event.event_id for events in begun)

    def in_flight(self) -> list[tuple[str, int]]:
        """Return the message and number of every attempt without an outcome, in the order in which they were begun."""
        found = sorted(
            (made.begun_us, case.case_id, index, made.message_id, made.number)
            for case in self.cases.values()
            for index, made in enumerate(case.attempts)
            if made.outcome is None
        )
        return [(message_id, number) for *_, message_id, number in found]

    def retire(self, *, before_us: int) -> list[str]:
        """Take cases off the docket that were closed before this and have nothing in flight; return their ids."""
        gone: list[str] = []
        while self._closed and self._closed[0][0] < before_us:
            closed_us, case_id = self._closed.popleft()
            case = self.cases.get(case_id)
            if case is not None and case.state is CaseState.CLOSED and case.closed_us == closed_us:
                self._forget(case)
                gone.append(case_id)
        return gone

    def _forget(self, case: Case) -> None:
        del self.cases[case.case_id]
        for event in case.events:
            if self._by_event.get(event.event_id) == case.case_id:
                del self._by_event[event.event_id]
        for message in case.messages:
            self._by_message.pop(message.message_id, None)
        for index, key in ((self._by_quote, case.case_id[:QUOTE_LENGTH]), (self._by_track, case.track_id)):
            index[key].remove(case.case_id)
            if not index[key]:
                del index[key]

    def _knows_event(self, event_id: str, case: Case) -> None:
        """Note which case knows an event: of two, the one that was opened later."""
        other = self.cases.get(self._by_event.get(event_id, ""))
        if other is None or other.opened_us <= case.opened_us:
            self._by_event[event_id] = case.case_id


def knows(case: Case, event: Event) -> bool:
    """Return True if a case holds an event that still stands."""
    known = case.event(event.event_id)
    return known is not None and not known.withdrawn


def retires_before_us(now_us: int, kept_s: float) -> int:
    """Return the instant before which a case must have closed to leave the docket now."""
    return now_us - round(kept_s * US_PER_S)


def _keep(held: dict[str, tuple[str, ...]], key: str, value: tuple[str, ...]) -> None:
    if value:
        held[key] = value
    else:
        held.pop(key, None)
