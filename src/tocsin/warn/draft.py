"""A case under construction: the table's next state with a step that says why, and the books of one step.

A `Draft` lives inside one call of `ladder.step` and is thrown away if the table refuses, so that a refused step changes
nothing. It knows no level, channel or person: what is said to whom is in `work.py`.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tocsin.errors import LadderError
from tocsin.warn.case import Case
from tocsin.warn.message import Wording
from tocsin.warn.states import CaseInput, DeadlineKind, MessageState, MuteReason
from tocsin.warn.steps import CaseEvent, Deadline, Mute, Rung, Step
from tocsin.warn.table import next_state


class Draft:
    """A case on its way through one step."""

    def __init__(self, case: Case, now_us: int, wording: Wording) -> None:
        if case.steps and now_us < case.steps[-1].at_us:
            raise LadderError(f"a case at {case.steps[-1].at_us} cannot step back to {now_us}")
        self.before = case
        self.case = case
        self.now_us = now_us
        self.wording = wording
        self.playbook = wording.playbook

    def fire(
        self,
        happened: CaseInput,
        reason: str,
        *,
        level: int | None = None,
        event_id: str | None = None,
        message_id: str | None = None,
        answer_id: str | None = None,
    ) -> None:
        """Take one input: the table's next state, and a step that says why.

        Raises
        ------
        LadderError
            If the table does not list the pair.
        """
        case = self.case
        target = next_state(case.state, happened)
        level = case.level if level is None else level
        step = Step(
            at_us=self.now_us,
            input=happened,
            from_state=case.state,
            to_state=target,
            level_before=case.level,
            level=level,
            reason=reason,
            event_id=event_id,
            message_id=message_id,
            answer_id=answer_id,
        )
        self.case = replace(
            case, state=target, level=level, highest_level=max(case.highest_level, level), steps=(*case.steps, step)
        )

    def set_deadline(self, kind: DeadlineKind, at_us: int, about: str = "") -> None:
        """Set what falls due, in place of one of the same kind about the same thing."""
        kept = [old for old in self.case.deadlines if (old.kind, old.about) != (kind, about)]
        deadline = Deadline(at_us=at_us, case_id=self.case.case_id, kind=kind, about=about)
        self.case = replace(self.case, deadlines=tuple(sorted([*kept, deadline])))

    def drop_deadlines(self, *kinds: DeadlineKind, about: str | None = None) -> None:
        """Drop the deadlines of these kinds, about one thing or all."""
        kept = [old for old in self.case.deadlines if old.kind not in kinds or about not in {None, old.about}]
        if len(kept) < len(self.case.deadlines):
            self.case = replace(self.case, deadlines=tuple(kept))

    def change_rung(self, index: int, **changes: Any) -> None:
        """Change what is known of one rung; keywords are fields of `Rung`."""
        rungs = self.case.rungs
        rung = replace(rungs[index], **changes)
        self.case = replace(self.case, rungs=(*rungs[:index], rung, *rungs[index + 1 :]))

    def mute(
        self, reason: MuteReason, detail: str, *, event_id: str | None, level: int, until_us: int | None = None
    ) -> None:
        """Record that something is withheld, and until when."""
        mute = Mute(
            at_us=self.now_us,
            until_us=until_us,
            reason=reason,
            detail=detail,
            track_id=self.case.track_id,
            case_id=self.case.case_id,
            event_id=event_id,
            level=level,
        )
        self.case = replace(self.case, mutes=(*self.case.mutes, mute))

    def keep_event(self, event: CaseEvent) -> None:
        """Add an event to the case, or put its newer revision in its place."""
        known = [old.event_id for old in self.case.events]
        events = tuple(event if old.event_id == event.event_id else old for old in self.case.events)
        self.case = replace(self.case, events=events if event.event_id in known else (*events, event))

    def change_message(self, message_id: str, state: MessageState) -> None:
        """Set how far a message got."""
        messages = list(self.case.messages)
        index = next(n for n, message in enumerate(messages) if message.message_id == message_id)
        messages[index] = replace(messages[index], state=state, state_us=self.now_us)
        self.case = replace(self.case, messages=tuple(messages))

    def _append(self, rung: Rung, *, present: bool) -> None:
        rungs = (*self.case.rungs, rung)
        self.case = replace(self.case, rungs=rungs, present=len(rungs) - 1 if present else self.case.present)
