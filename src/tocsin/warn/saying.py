"""Saying one thing to one person: which ways are left, one message and its attempts, and who of those told is reached.

Implements `channels`, `order`, `turn`, `relay` and `backup` of a level for a case under construction. A message to a
third party that is asked to pass the words on is said *to* it and *for* somebody else; what it receives, the other has
not. Nothing is sent here: the sends are collected for the shell.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from tocsin.clock import US_PER_S
from tocsin.ids import stable_id
from tocsin.warn import plan
from tocsin.warn.case import Case
from tocsin.warn.draft import Draft
from tocsin.warn.inputs import Action, CallPerson, Send
from tocsin.warn.message import Wording, compose
from tocsin.warn.states import OUT, REACH, CaseInput, CaseState, DeadlineKind, MessageState, Purpose
from tocsin.warn.steps import Rung
from tocsin.warn.telling import Attempt, Message

TELLING = frozenset({CaseState.AWAITING, CaseState.ACKNOWLEDGED, CaseState.CALLING, CaseState.EXHAUSTED})
ENDING = frozenset({Purpose.STAND_DOWN, Purpose.CORRECTION})
TO_COME = frozenset({MessageState.FAILED_FOR_NOW, MessageState.UNKNOWN})


class Way(Struct, frozen=True, kw_only=True):
    """One way to somebody.

    Attributes
    ----------
    channel : str
    via : str or None
        Who is asked to pass it on; None where the channel ends at the one told.
    """

    channel: str
    via: str | None = None


class Saying(Draft):
    """A case on its way through one step: what is said in it."""

    def __init__(self, case: Case, now_us: int, wording: Wording) -> None:
        super().__init__(case, now_us, wording)
        self.sends: list[Action] = []

    def queue(self, index: int, way: Way, recipient: str) -> None:
        """Decide one message of a rung and its first attempt."""
        case, rung = self.case, self.case.rungs[index]
        whom, passed_to = (way.via, recipient) if way.via else (recipient, None)
        same = [m for m in case.messages if (m.channel, m.recipient, m.relay_for) == (way.channel, whom, passed_to)]
        for old in same:
            if old.rung == index:
                self.give_up(old, "said anew")
        key = (rung.purpose, rung.level, way.channel, whom, *((passed_to,) if passed_to else ()))
        saying = sum((old.purpose, old.level) == (rung.purpose, rung.level) for old in same)
        reached = any(
            (m.rung, m.recipient, m.relay_for) == (index, whom, passed_to) and m.state in OUT for m in case.messages
        )
        text_id = self._text_id(rung)
        words = compose(
            self.wording,
            case,
            purpose=rung.purpose,
            level=rung.level,
            channel=way.channel,
            recipient=whom,
            event=case.event(rung.event_id),
            text_id=text_id,
            relay_for=passed_to,
        )
        message = Message(
            message_id=stable_id("message", case.case_id, *map(str, key), saying),
            case_id=case.case_id,
            rung=index,
            purpose=rung.purpose,
            level=rung.level,
            channel=way.channel,
            recipient=whom,
            saying=saying,
            is_repeat=reached,
            event_id=rung.event_id,
            queued_us=self.now_us,
            text_id=text_id,
            languages=words.languages,
            subject=words.subject,
            body=words.body,
            relay_for=passed_to,
            state_us=self.now_us,
            facts=words.facts,
        )
        self.case = replace(self.case, messages=(*self.case.messages, message))
        self._watch_relay(rung, message)
        self.attempt(message)

    def attempt(self, message: Message) -> None:
        """Decide one more attempt of a message."""
        number = 1 + sum(made.message_id == message.message_id for made in self.case.attempts)
        attempt = Attempt(
            attempt_id=stable_id("attempt", message.message_id, number),
            message_id=message.message_id,
            number=number,
            begun_us=self.now_us,
        )
        self.case = replace(self.case, attempts=(*self.case.attempts, attempt))
        action = CallPerson if message.purpose is Purpose.CALL else Send
        self.sends.append(action(message=message, number=number))

    def say_to(self, index: int, recipient: str) -> None:
        """Say a rung to one of those told: by every way that is left, or by the first of them and the next in turn."""
        ways = self.ways(index, recipient)
        if self.in_turn(index):
            for way in ways[:1]:
                self.queue(index, way, recipient)
            self._set_turn(index, recipient)
        else:
            for way in ways:
                self.queue(index, way, recipient)

    def in_turn(self, index: int) -> bool:
        """Return True if a rung uses its channels one after the other; what is said beside another never does."""
        rung = self.case.rungs[index]
        is_warning = rung.purpose is Purpose.WARNING and not rung.aside
        return is_warning and plan.level_of(self.playbook, rung.level).in_turn

    def next_way(self, index: int, recipient: str) -> Way | None:
        """Return the way whose turn it is after the one last used, or None if it was the last."""
        said = [m for m in self.case.messages if m.rung == index and m.meant_for == recipient]
        planned = self._planned(index, recipient)
        if not said or not self.in_turn(index):
            return None
        last = Way(channel=said[-1].channel, via=said[-1].recipient if said[-1].relay_for else None)
        rest = planned[planned.index(last) + 1 :] if last in planned else ()
        left = self.ways(index, recipient)
        return next((way for way in rest if way in left), None)

    def use_next_way(self, index: int, recipient: str) -> Way | None:
        """Say a rung by the way whose turn it is; return it, or None if there is none."""
        way = self.next_way(index, recipient)
        if way is not None:
            self.queue(index, way, recipient)
            self._set_turn(index, recipient)
        return way

    def after_failure(self, message: Message) -> Way | None:
        """Return the way to use after a message has failed for good: the next in turn, else the channel's backup."""
        following = self.next_way(message.rung, message.meant_for)
        if following is not None:
            return following
        same = (message.rung, message.recipient, message.relay_for)
        used = {m.channel for m in self.case.messages if (m.rung, m.recipient, m.relay_for) == same}
        backup = plan.backup_way(self.playbook, message.channel, message.recipient, used=used)
        return Way(channel=backup, via=message.recipient if message.relay_for else None) if backup else None

    def use_after_failure(self, message: Message, way: Way) -> None:
        """Say what a failed message said by another way."""
        self.queue(message.rung, way, message.meant_for)
        self._set_turn(message.rung, message.meant_for)

    def ways(self, index: int, recipient: str) -> tuple[Way, ...]:
        """Return the ways to somebody told that have not failed for good at this rung."""
        latest = {
            Way(channel=m.channel, via=m.recipient if m.relay_for else None): m.state
            for m in self.case.messages
            if m.rung == index and m.meant_for == recipient
        }
        dead = {way for way, state in latest.items() if state is MessageState.FAILED_FOR_GOOD}
        found = dict.fromkeys([*self._planned(index, recipient), *latest])
        return tuple(way for way in found if way not in dead)

    def is_alive(self, index: int, recipient: str) -> bool:
        """Return True if something said to somebody told, or to who stands in for them, has not failed for good."""
        rung = self.case.rungs[index]
        return any(
            m.rung == index and rung.credited(m.meant_for) == recipient and m.state is not MessageState.FAILED_FOR_GOOD
            for m in self.case.messages
        )

    def is_active(self, message: Message) -> bool:
        """Return True if further attempts still serve.

        They do until the recipient has answered, was told anew by a later rung, or nothing stands any longer. A rung
        that climbed because somebody else could not be reached goes on for those who still can.
        """
        if message.purpose in ENDING:
            return self.case.state is not CaseState.CLOSED
        rung, later = self.case.rungs[message.rung], self.case.rungs[message.rung + 1 :]
        if rung.credited(message.meant_for) in rung.acknowledged or self.case.state not in TELLING:
            return False
        return not any(message.meant_for in other.told for other in later if other.purpose not in ENDING)

    def give_up_to(self, index: int, recipient: str) -> None:
        """Try no further to reach somebody who has answered this rung."""
        rung = self.case.rungs[index]
        for message in self.case.messages:
            if message.rung == index and rung.credited(message.meant_for) == recipient:
                self.give_up(message, "already acknowledged")

    def give_up_all(self, why: str, *, to: Collection[str] | None = None) -> None:
        """Try no further with any warning or call, or with those to some people."""
        for message in self.case.messages:
            if message.purpose not in ENDING and (to is None or message.meant_for in to):
                self.give_up(message, why)

    def give_up(self, message: Message, why: str) -> None:
        """Try no further with a message whose next attempt has yet to come."""
        if message.state in TO_COME:
            self.drop_deadlines(DeadlineKind.RETRY, about=message.message_id)
            self.change_message(message.message_id, MessageState.FAILED_FOR_GOOD)
            reason = f"no further attempt on {message.channel} to {message.recipient}: {why}"
            self.fire(CaseInput.FAILED_FOR_GOOD, reason, message_id=message.message_id)

    def already_told(self, event_id: str | None = None) -> tuple[str, ...]:
        """Return whom a warning or call was said to and may have reached, about one event or any, in order."""
        found = [
            message.meant_for
            for message in self.case.messages
            if message.purpose not in ENDING
            and self._may_have_arrived(message)
            and event_id in {None, message.event_id}
        ]
        return tuple(dict.fromkeys(found))

    # --- inside ----------------------------------------------------------------------------------------------------

    def _planned(self, index: int, recipient: str) -> tuple[Way, ...]:
        rung = self.case.rungs[index]
        if rung.purpose is Purpose.CALL:
            return (Way(channel=recipient),)
        if rung.purpose is Purpose.WARNING:
            level = plan.level_of(self.playbook, rung.level)
            direct = plan.ways(self.playbook, level, recipient)
            if not direct and recipient != rung.credited(recipient):
                return (Way(channel=recipient),)
            passed = {relay.by for relay in level.relays if relay.to == recipient}
            return tuple(
                Way(channel=name, via=via)
                for name in level.channels
                for via in ([None] if name in direct else sorted(passed))
                if via is None or name in plan.ways(self.playbook, level, via)
            )
        return tuple(
            Way(channel=m.channel, via=m.recipient if m.relay_for else None)
            for m in self.case.messages
            if m.meant_for == recipient and m.purpose not in ENDING and self._may_have_arrived(m)
        )

    def _set_turn(self, index: int, recipient: str) -> None:
        self.drop_deadlines(DeadlineKind.TURN, about=recipient)
        turn_s = plan.level_of(self.playbook, self.case.rungs[index].level).turn_s if self.in_turn(index) else None
        if turn_s is not None and index == self.case.present and self.next_way(index, recipient) is not None:
            self.set_deadline(DeadlineKind.TURN, self.now_us + round(turn_s * US_PER_S), recipient)

    def _watch_relay(self, rung: Rung, message: Message) -> None:
        if message.relay_for is None or rung.purpose is not Purpose.WARNING or rung.aside:
            return
        for relay in plan.level_of(self.playbook, rung.level).relays:
            if (relay.to, relay.by) == (message.relay_for, message.recipient) and relay.within_s is not None:
                due_us = self.now_us + round(relay.within_s * US_PER_S)
                self.set_deadline(DeadlineKind.RELAY, due_us, message.message_id)

    def is_delivered(self, index: int, recipient: str) -> bool:
        """Return True if something of a rung is proved to have arrived at somebody told."""
        return any(
            m.rung == index and m.meant_for == recipient and REACH[m.state] >= REACH[MessageState.DELIVERED]
            for m in self.case.messages
        )

    def _may_have_arrived(self, message: Message) -> bool:
        """Return True unless every attempt is known to have failed and none is to come."""
        return message.state is not MessageState.FAILED_FOR_GOOD or any(
            made.outcome is None or made.outcome.state is MessageState.UNKNOWN
            for made in self.case.attempts
            if made.message_id == message.message_id
        )

    def _text_id(self, rung: Rung) -> str | None:
        if rung.purpose is Purpose.WARNING:
            return plan.level_of(self.playbook, rung.level).text
        over = self.playbook.stand_down
        if over is None or rung.purpose is Purpose.CALL:
            return None
        return over.text if rung.purpose is Purpose.STAND_DOWN else over.false_alarm_text
