"""Told: what each party would have been told and shown, by the ladder and by who may see what.

The ladder is climbed with nobody answering: what it says at a conduct would have been said in any case, what it says
on silence only if nobody answered. What a party is shown is read from `routing` (`agreement/visible.py`), and nothing
is shown where that is silent. No message is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from tocsin.agreement.playbook import MOVER, Playbook
from tocsin.agreement.visible import Policy, Sort, Thing, decide
from tocsin.agreement.watchlist import Conduct
from tocsin.rehearsal.wolf import levels_of_conduct
from tocsin.warn.case import Case
from tocsin.warn.channels.config import Transports
from tocsin.warn.dispatch import WarnResult, run
from tocsin.warn.states import MessageState, Purpose
from tocsin.warn.telling import Message, Outcome
from tocsin.warn.trigger import FOUND_BY
from tocsin.watch.event import Event, Revision

PREFACE = "REHEARSAL of a draft over recorded reports. This is not sent."
"""First line of every message of a rehearsal."""


class Unsent:
    """A transport that sends nothing and says that it was handed over, so that the ladder goes on as if it had been."""

    timeout_s = 0.0
    kind = "rehearsal"

    def send(self, message: Message, now_us: int) -> Outcome:
        """Make one attempt; see `Transport`."""
        return Outcome(state=MessageState.HANDED_OVER, reason="rehearsed, not sent", transport=self.kind)


class Told(Struct, frozen=True, kw_only=True):
    """What one recipient would have been told and shown.

    Attributes
    ----------
    recipient : str
        A party, `mover`, or the person at the end of the ladder.
    at_conduct : int
        Messages that a conduct begins, the first saying of each channel.
    on_silence : int
        Those that follow only where nobody answers.
    repeats : int
    stand_downs : int
    cases : int
        Cases in which it was told anything.
    shown : mapping of str to int
        Events that it may see, by kind; empty for whom the routing does not name.
    """

    recipient: str
    at_conduct: int = 0
    on_silence: int = 0
    repeats: int = 0
    stand_downs: int = 0
    cases: int = 0
    shown: Mapping[str, int] = field(default_factory=dict)


def climb(playbook: Playbook, events: Sequence[Event], *, until_us: int) -> WarnResult:
    """Return what the ladder would have done if nobody had answered.

    Parameters
    ----------
    playbook : Playbook
    events : sequence of Event
    until_us : int
        End of the recording.
    """
    return run(playbook, events, (), Transports({}, Unsent()), until_us=until_us, preface=PREFACE)


def told_to(
    cases: Sequence[Case], events: Sequence[Event], policy: Policy, playbook: Playbook | None
) -> tuple[Told, ...]:
    """Return what each recipient would have been told, and each party shown, by name, the mover first.

    Parameters
    ----------
    cases : sequence of Case
        As `climb` returned them; empty where there is no ladder.
    events : sequence of Event
    policy : Policy
    playbook : Playbook or None
    """
    own = levels_of_conduct(playbook) if playbook else frozenset[int]()
    counts: dict[str, Counter[str]] = {}
    for case in cases:
        for message in case.messages:
            counts.setdefault(message.recipient, Counter())[_which(message, own)] += 1
        for recipient in {message.recipient for message in case.messages}:
            counts[recipient]["cases"] += 1
    names = sorted({*counts, *policy.owns, *policy.grants}, key=lambda name: (name != MOVER, name))
    return tuple(Told(recipient=n, **counts.get(n, Counter()), shown=_shown(events, policy, n)) for n in names)


def _which(message: Message, own: frozenset[int]) -> str:
    if message.purpose not in (Purpose.WARNING, Purpose.CALL):
        return "stand_downs"
    if message.saying:
        return "repeats"
    return "at_conduct" if message.purpose is Purpose.WARNING and message.level in own else "on_silence"


def _shown(events: Sequence[Event], policy: Policy, asker: str) -> dict[str, int]:
    """Return how many events of each kind an asker would have been shown in the end, delays over."""
    if asker not in policy.owns and asker not in policy.grants:
        return {}
    own, public = policy.grants.get(asker), policy.grants.get("public")
    delay_us = round(1e6 * max(own.delay_s if own else 0.0, public.delay_s if public else 0.0))
    seen: Counter[str] = Counter()
    for event in events:
        conduct = _conduct(event)
        if conduct is None or event.revision is Revision.WITHDRAWN:
            continue
        thing = Thing(sort=Sort.EVENT, at_us=event.known_us, party=event.party, conduct=conduct)
        if decide(policy, asker=asker, thing=thing, now_us=event.known_us + delay_us).is_visible:
            seen[event.kind] += 1
    return dict(sorted(seen.items()))


def _conduct(event: Event) -> Conduct | None:
    """Return the routing's word for an event; None for the end of something."""
    if event.kind.value in {conduct.value for conduct in Conduct}:
        return Conduct(event.kind.value)
    return next((conduct for conduct, kinds in FOUND_BY.items() if event.kind in kinds), None)
