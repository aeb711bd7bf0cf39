"""Keeping: what befalls the station itself, and the messages about it to whoever keeps it.

A silent feed, a full disk, a database away, a clock step: each is a fact of the record and a message on the channel
`station` (docs/guide/station.md), told once for each matter within `QUIET_US` and tried again until it is out. It knows
no ladder: nobody has to answer, and nothing waits for it. What parties hear of overdue receipts (`overdue.py`) goes the
same way. Pure, like the desk beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from tocsin.clock import US_PER_S
from tocsin.ids import stable_id
from tocsin.station.core.entries import HEALTH, NoticeTold
from tocsin.station.core.health import TOLD, Health, HealthNote
from tocsin.station.core.overdue import About, message_record, outcome_record
from tocsin.station.core.own_message import own_message
from tocsin.tracks.order import FeedPolicy
from tocsin.units import format_duration, format_instant
from tocsin.warn.inputs import Reported, Send
from tocsin.warn.message import neutral
from tocsin.warn.states import OUT, MessageState
from tocsin.warn.telling import Message

CHANNEL = "station"
"""Channel of messages about the station itself; `channels.yaml` says by which transport, `default` if it does not."""

KEEPER = "keeper"
"""Who is told: whoever runs the station."""

QUIET_US = 600 * US_PER_S
"""How long a matter that was told is not told again, microseconds: a feed that comes and goes is one matter."""

RETRY_US = (10 * US_PER_S, 60 * US_PER_S, 300 * US_PER_S, 1_800 * US_PER_S)
"""Waits before the second attempt and those after it; the last is repeated. Microseconds."""

FEW_ATTEMPTS = 4
"""Attempts of one message before the next channel is tried, where there is one: about six minutes."""

MOST_ATTEMPTS = 24
"""Attempts of one message before it is given up, which is a fact then: about half a day."""

_FAILED = frozenset({MessageState.FAILED_FOR_NOW, MessageState.UNKNOWN})


class Telling(Struct, frozen=True, kw_only=True):
    """A message on its way.

    Attributes
    ----------
    message : Message
    number : int
        Of the newest attempt.
    due_us : int or None
        When to try again; None while an attempt is under way.
    notice : (str or None, str) or None
        The notice that it is about, and whose that is; None if it is about the station.
    others : tuple of Message
        What is sent in its place, in turn, once it is given up: the same on other channels.
    """

    message: Message
    number: int = 1
    due_us: int | None = None
    notice: About | None = None
    others: tuple[Message, ...] = ()


class Keeping(Struct, kw_only=True):
    """What is remembered of the station's own matters.

    Attributes
    ----------
    expected : dict of str to FeedPolicy
        The feeds that run.
    heard_us : dict of str to int
        When something last came from each.
    silent : dict of str to int
        Those of them that are silent, and since when.
    told_us : dict of str to int
        When each matter was last told.
    tellings : dict of str to Telling
        By message id.
    """

    expected: dict[str, FeedPolicy] = field(default_factory=dict)
    heard_us: dict[str, int] = field(default_factory=dict)
    silent: dict[str, int] = field(default_factory=dict)
    told_us: dict[str, int] = field(default_factory=dict)
    tellings: dict[str, Telling] = field(default_factory=dict)

    def expect(self, feeds: Mapping[str, FeedPolicy], now_us: int) -> None:
        """Take these feeds to be the ones that run from now on."""
        self.expected = dict(feeds)
        self.heard_us = dict.fromkeys(feeds, now_us)
        self.silent = {name: since for name, since in self.silent.items() if name in feeds}

    def takes(self, report: Reported) -> bool:
        """Return True if an outcome is about a message of its own."""
        return report.message_id in self.tellings

    def step(
        self,
        notes: Iterable[HealthNote],
        spoke: Iterable[str],
        outcomes: Iterable[Reported],
        now_us: int,
        *,
        overdue: Iterable[tuple[About, tuple[Message, ...]]] = (),
        is_start: bool = False,
    ) -> tuple[list[dict[str, Any]], list[Send], list[NoticeTold]]:
        """Take what befell the station; return the facts of it, the attempts to make, and what came of notices' own.

        Parameters
        ----------
        notes : iterable of HealthNote
        spoke : iterable of str
            Feeds from which something came.
        outcomes : iterable of Reported
            Of its own messages.
        now_us : int
        overdue : iterable of (About, tuple of Message)
            Messages about notices, each with its notice and what is sent if it is given up: tried like its own.
        is_start : bool
            True if the process begins with this: what was under way is in doubt, and tried again.
        """
        facts: list[dict[str, Any]] = []
        sends: list[Send] = []
        told: list[NoticeTold] = []
        fresh = set()
        for note in [*notes, *self._silences(spoke, now_us)]:
            facts.append(_fact(now_us, note))
            if note.kind in TOLD and self._is_due(note, now_us):
                telling = Telling(message=message_of(note, now_us))
                self.tellings[telling.message.message_id] = telling
                fresh.add(telling.message.message_id)
        for notice, (message, *others) in overdue:
            if message.message_id not in self.tellings:
                self.tellings[message.message_id] = Telling(message=message, notice=notice, others=tuple(others))
                fresh.add(message.message_id)
        for report in outcomes:
            ended = self._end(report, now_us)
            if ended is not None and ended.notice is not None:
                told.append(outcome_record(ended.notice, ended.message, report.outcome))
                if ended.others and report.outcome.state not in OUT:
                    message, *others = ended.others
                    message = replace(message, queued_us=now_us, state_us=now_us)
                    told.append(message_record(ended.notice, message))
                    again = replace(ended, message=message, number=1, due_us=None, others=tuple(others))
                    self.tellings[message.message_id] = again
                    fresh.add(message.message_id)
            elif ended is not None:
                facts.append(_ended(report, now_us))
        for key, telling in self.tellings.items():
            if key in fresh:
                sends.append(Send(message=telling.message, number=1))
            elif (is_start and telling.due_us is None) or (telling.due_us is not None and telling.due_us <= now_us):
                again = replace(telling, number=telling.number + 1, due_us=None)
                self.tellings[key] = again
                sends.append(Send(message=again.message, number=again.number))
        return facts, sends, told

    def _is_due(self, note: HealthNote, now_us: int) -> bool:
        matter = f"{note.kind} {note.about}"
        if now_us - self.told_us.get(matter, now_us - QUIET_US) < QUIET_US:
            return False
        self.told_us = {key: at for key, at in self.told_us.items() if now_us - at < QUIET_US}
        self.told_us[matter] = now_us
        return True

    def _silences(self, spoke: Iterable[str], now_us: int) -> list[HealthNote]:
        notes = []
        for feed in sorted(set(spoke) & self.expected.keys()):
            self.heard_us[feed] = now_us
            if (since := self.silent.pop(feed, None)) is not None:
                lasted = format_duration((now_us - since) / US_PER_S)
                notes.append(HealthNote(kind=Health.HEARD_AGAIN, about=feed, detail=f"silent for {lasted}"))
        for feed, policy in sorted(self.expected.items()):
            heard = self.heard_us[feed]
            if feed not in self.silent and now_us - heard > policy.hold_us:
                self.silent[feed] = heard
                allowed = format_duration(policy.hold_us / US_PER_S)
                detail = f"nothing came for {allowed}; it does not hold back the others any longer"
                notes.append(HealthNote(kind=Health.SILENT, about=feed, detail=detail))
        return notes

    def _end(self, report: Reported, now_us: int) -> Telling | None:
        """Take an outcome; return what it was about if that is over with it."""
        telling = self.tellings.get(report.message_id)
        if telling is None or report.number != telling.number:  # told twice in one tick, or of an attempt before
            return None
        most = FEW_ATTEMPTS if telling.others else MOST_ATTEMPTS
        if report.outcome.state in _FAILED and telling.number < most:
            wait_us = RETRY_US[min(telling.number, len(RETRY_US)) - 1]
            self.tellings[report.message_id] = replace(telling, due_us=now_us + wait_us)
            return None
        return self.tellings.pop(report.message_id)


def _ended(report: Reported, now_us: int) -> dict[str, Any]:
    outcome = report.outcome
    what = {"message": report.message_id, "outcome": str(outcome.state), "reason": outcome.reason}
    return {"kind": HEALTH, "at": format_instant(now_us), "what": "told", "attempts": report.number, **what}


def _fact(now_us: int, note: HealthNote) -> dict[str, Any]:
    what = {"what": str(note.kind), "about": note.about, "detail": note.detail}
    return {"kind": HEALTH, "at": format_instant(now_us), **what}


def message_of(note: HealthNote, now_us: int) -> Message:
    """Return what the keeper is told of a note; the same matter at the same time has the same id."""
    message_id = stable_id("health", str(note.kind), note.about, now_us)
    about = f" {neutral(note.about)}" if note.about else ""
    said = f"{str(note.kind).replace('_', ' ')}{about}"
    return own_message(
        message_id,
        channel=CHANNEL,
        recipient=KEEPER,
        subject=f"Tocsin station: {said}",
        body=f"At {format_instant(now_us)} this station noted: {said}.\n{neutral(note.detail, limit=500)}",
        now_us=now_us,
    )
