"""Facts: what the ladder hands to the record, each a JSON object, in the order in which a log is to hold them.

A decision is a fact before it is acted on, and what came of it is one after (house rule 16). Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from tocsin.units import format_instant
from tocsin.warn.case import Case
from tocsin.warn.inputs import Happening, Reported


class FactKind(StrEnum):
    """The kinds of fact that the ladder hands to the record."""

    CASE_OPENED = "case_opened"
    CASE_STEP = "case_step"
    MESSAGE = "message"
    ATTEMPT = "attempt"
    """An attempt was decided; what came of it is not known yet."""
    OUTCOME = "outcome"
    ACKNOWLEDGEMENT = "acknowledgement"
    MUTE = "mute"
    REFUSED = "refused"
    """Something arrived that nothing can take: an outcome of no attempt, or one that is known already."""


def fact(kind: FactKind, at_us: int, what: dict[str, Any]) -> dict[str, Any]:
    """Return one fact."""
    return {**what, "kind": str(kind), "at": format_instant(at_us)}


def facts_of(before: Case, after: Case, happened: Happening, now_us: int) -> Iterator[dict[str, Any]]:
    """Yield what one step added to a case: the outcome first, then answers, mutes, steps, messages and attempts."""
    about = {"case": after.case_id, "track": after.track_id}
    if isinstance(happened, Reported):
        key = (happened.message_id, happened.number)
        done = next(made for made in after.attempts if (made.message_id, made.number) == key)
        yield fact(FactKind.OUTCOME, now_us, {**about, **done.as_json()})
    for ack in after.acknowledgements[len(before.acknowledgements) :]:
        yield fact(FactKind.ACKNOWLEDGEMENT, now_us, {**about, **ack.as_json()})
    for mute in after.mutes[len(before.mutes) :]:
        yield fact(FactKind.MUTE, now_us, {**about, **mute.as_json()})
    for taken in after.steps[len(before.steps) :]:
        yield fact(FactKind.CASE_STEP, now_us, {**about, **taken.as_json()})
    for message in after.messages[len(before.messages) :]:
        yield fact(FactKind.MESSAGE, now_us, {**about, **message.as_json()})
    for made in after.attempts[len(before.attempts) :]:
        yield fact(FactKind.ATTEMPT, now_us, {**about, **made.as_json()})
