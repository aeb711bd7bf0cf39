"""What must hold after every step, and what must have come of everything at the end."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.sim.machines import Step

from tocsin.units import parse_instant_us
from tocsin.warn.case import Case
from tocsin.warn.docket import Docket
from tocsin.warn.states import (
    OUT,
    CaseInput,
    CaseState,
    DeadlineKind,
    Disposition,
    MessageState,
    Purpose,
)

SETTLED = frozenset({CaseState.ACKNOWLEDGED, CaseState.CALLING, CaseState.EXHAUSTED, CaseState.LULL, CaseState.CLOSED})
"""States in which a case may rest: answered, somebody called, recorded as failed, nothing standing, or over."""

_ENDING = frozenset({Purpose.STAND_DOWN, Purpose.CORRECTION})


class Checks:
    """The invariants of FAULTS appendix A, over one run."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.decided: set[tuple[str, int]] = set()
        self.known: set[tuple[str, int]] = set()
        self.opened: set[str] = set()
        self.messages: set[str] = set()
        self.ends: dict[tuple[str, str], str] = {}
        self.steps: Counter[str] = Counter()
        self.last_us = 0
        self.seen: dict[str, int] = {}
        self.credited: dict[tuple[str, int, str], int] = {}

    def after(self, step: Step, docket: Docket, now_us: int) -> None:
        """Check one durable step."""
        for fact in step.facts:
            self._fact(fact, now_us)
        for answered in step.answered:
            assert answered.disposition in Disposition, "every answer has an end"
        for case_id in step.changed:
            if case_id in docket.cases:
                self._case(docket.cases[case_id], now_us)
        due = docket.due.next()
        assert due is None or due.at_us > now_us, "a deadline that has passed was taken"

    def sent(self, send: Any) -> None:
        """Check one attempt that leaves: it was decided, durably, and only once."""
        key = (send.message.message_id, send.number)
        if send.message.purpose in Purpose and key[0] in self.messages:
            assert key in self.decided, "no attempt leaves before its decision is durable"
        self.attempts[key[0]] += 1
        assert self.attempts[key[0]] <= send.number, "no attempt leaves twice"

    def at_the_end(self, docket: Docket, now_us: int) -> None:
        """Check that every obligation was met, or is recorded as failed."""
        for case in docket.cases.values():
            self._case(case, now_us)
            resting = case.state in SETTLED
            rearmed = case.state is CaseState.AWAITING and any(d.kind is DeadlineKind.ANSWER for d in case.deadlines)
            assert resting or rearmed, f"case {case.case_id} is left {case.state}"
            for message in case.messages:
                waits = message.state in {MessageState.QUEUED, MessageState.FAILED_FOR_NOW}
                assert not waits or rearmed, f"message {message.message_id} is left {message.state}"
            in_flight = [made for made in case.attempts if made.outcome is None]
            assert not in_flight or rearmed, "an attempt is left without an outcome"
        for message_id, copies in self.received.items():
            assert copies <= self.attempts[message_id], "no more copies than attempts"

    # --- inside ----------------------------------------------------------------------------------------------------

    def _fact(self, fact: dict[str, Any], now_us: int) -> None:
        at_us = parse_instant_us(fact["at"])
        assert at_us >= self.last_us, "the log only grows, in order of time"
        self.last_us = max(self.last_us, at_us)
        self.steps[fact.get("input", fact["kind"])] += 1
        match fact["kind"]:
            case "case_opened":
                assert fact["case"] not in self.opened, "a case opens once"
                self.opened.add(fact["case"])
            case "message":
                assert fact["message_id"] not in self.messages, "a message is decided once"
                self.messages.add(fact["message_id"])
            case "attempt":
                key = (fact["message"], fact["number"])
                assert key not in self.decided, "an attempt is decided once"
                self.decided.add(key)
            case "outcome":
                key = (fact["message"], fact["number"])
                assert key in self.decided and key not in self.known, "an outcome is of one attempt, once"
                self.known.add(key)
            case "acknowledgement" if fact["disposition"] != Disposition.REFUSED and fact["case"]:
                assert fact["answer_id"] not in self.ends, "an answer comes to its end once"
                self.ends[fact["answer_id"]] = fact["disposition"]

    def _case(self, case: Case, now_us: int) -> None:
        first = self.seen.get(case.case_id, 0)
        for taken in case.steps[first:]:
            assert taken.reason
            if taken.input in {CaseInput.UNANSWERED_NEXT, CaseInput.UNANSWERED_PERSON}:
                assert taken.at_us <= now_us
            if taken.input is CaseInput.ACKNOWLEDGED:
                assert taken.answer_id in self.ends, "no silence is an acknowledgement"
            if taken.level > taken.level_before + 1:
                begun = {rung.level for rung in case.rungs if rung.began_us <= taken.at_us}
                skipped = set(range(taken.level_before + 1, taken.level)) - begun
                assert not skipped or "did not come first" in taken.reason, "no level is skipped without a reason"
        self.seen[case.case_id] = len(case.steps)
        proved = {made.message_id for made in case.attempts if made.outcome and made.outcome.state in OUT}
        spoke = {ack.party for ack in case.acknowledgements}
        for index, rung in enumerate(case.rungs):
            for who in rung.acknowledged:
                self.credited.setdefault((case.case_id, index, who), now_us)
        for message in case.messages:
            if message.state in OUT and message.message_id not in proved:
                assert spoke & {message.recipient, message.relay_for}, "delivered only on proof"
            if message.purpose not in _ENDING:
                whom = case.rungs[message.rung].credited(message.meant_for)
                by_us = self.credited.get((case.case_id, message.rung, whom))
                assert by_us is None or message.queued_us <= by_us, "nothing more is said to who has answered"
        if case.state is CaseState.CLOSED:
            assert not case.deadlines and case.outcome is not None
