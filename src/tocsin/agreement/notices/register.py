"""The register: notices followed from when they are given until they end. No input or output, no clock.

Takes notices, receipts, consents and verifications one by one, and lets time pass; every step adds facts, none changes
one. A change is a successor, a cancellation a turn of the old one and a submission of its own, whose receipts are owed
too. An overdue receipt is a fact that the giver is told (SEMANTICS §3.5: a sender must be told who was not reached).
Decides nothing about movements: what is told here is told, and what the watch sees is in `watch/conformance.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tocsin.agreement.notices.alike import Alike
from tocsin.agreement.notices.check import Flagged, flags_of
from tocsin.agreement.notices.due import Calendar, Due, DueKind
from tocsin.agreement.notices.held import Fact, Held
from tocsin.agreement.notices.notice import Consent, Item, Notice, ReceiptOf, Verification
from tocsin.agreement.notices.owed import Line, hear, lines_owed, upstream
from tocsin.agreement.notices.places import Ground, flags_of_place
from tocsin.agreement.notices.receipts import LineInput, LineState, next_line
from tocsin.agreement.notices.rules import Rules
from tocsin.agreement.notices.standing import TRANSITIONS, Standing, Turn, next_standing
from tocsin.agreement.notices.words import Act, Disposition, FactKind, Flag, NoticeError, Receipt
from tocsin.clock import US_PER_S
from tocsin.units import format_duration, format_instant

KEPT_S = 400 * 86_400.0
"""How long a notice that has ended stays in the register where the agreement does not say (`keep_for`), seconds: over a
year, so that a yearly movement can be changed under its old name; own choice. The record keeps it as long as itself."""

REMIND_SHARE = 0.1
"""Share of the agreed time until expiry at whose beginning the giver is reminded: a tenth, so three days' notice of a
month; own choice; less leaves less time to confirm."""

_TURNS = {
    Act.CHANGE: Turn.CHANGED,
    Act.CANCEL: Turn.CANCELLED,
    Act.WITHDRAW: Turn.WITHDRAWN,
    Act.CONFIRM: Turn.CONFIRMED,
}


class Kept(Struct, frozen=True, kw_only=True):
    """What a register remembers, but for the facts it has told; for `dump.py` to read, and to change nothing of."""

    held: dict[str, Held]
    other_names: dict[str, str]
    calendar: Calendar
    alike: Alike


class Register:
    """The notices of an agreement.

    Parameters
    ----------
    rules : Rules
    held : dict of str to Held, optional
    other_names : dict of str to str, optional
    due : Calendar, optional
    alike : Alike, optional
        As another register kept them (`dump.py`).

    Attributes
    ----------
    held : dict of str to Held
        Every accepted notice by its id, in the order in which they came.
    facts : list of Fact
        Everything that happened, in the order in which it became known.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        held: dict[str, Held] | None = None,
        other_names: dict[str, str] | None = None,
        due: Calendar | None = None,
        alike: Alike | None = None,
    ) -> None:
        self.rules = rules
        self.held: dict[str, Held] = held or {}
        self.facts: list[Fact] = []
        self._ground = Ground(rules.zones)
        self._alike = alike or Alike()
        self._other_names: dict[str, str] = other_names or {}
        self._due = due or Calendar()

    def kept(self) -> Kept:
        """Return what another register goes on from."""
        return Kept(held=self.held, other_names=self._other_names, calendar=self._due, alike=self._alike)

    def adopt(self, rules: Rules) -> None:
        """Go on by the rules of another version: notices to come are judged by them, deadlines already set stand."""
        self.rules = rules
        self._ground = Ground(rules.zones)

    def find(self, party: str, reference: str) -> Held | None:
        """Return the notice of a party by its reference: its own, else one of a party that it speaks for."""
        for name in (party, *sorted(self.rules.speaks_for.get(party, frozenset()) - {party})):
            key = f"{name}/{reference}"
            found = self.held.get(self._other_names.get(key, key))
            if found is not None:
                return found
        return None

    def newest(self, held: Held) -> Held:
        """Return the notice that stands in the place of one that was changed, perhaps several times."""
        while held.successor is not None:
            held = self.held[held.successor]
        return held

    def take(self, item: Item) -> list[Fact]:
        """Take one submission, receipt, consent or verification, and return the facts that came of it.

        Everything due before it is done first (`pass_time`).
        """
        before = len(self.facts)
        self.pass_time(item.at_us)
        if isinstance(item, Notice):
            self._take_notice(item)
        elif isinstance(item, ReceiptOf):
            self._take_receipt(item)
        elif isinstance(item, Consent):
            self._take_consent(item)
        else:
            self._take_verification(item)
        return self.facts[before:]

    def pass_time(self, now_us: int) -> list[Fact]:
        """Do everything that is due by now, and return the facts that came of it.

        A deadline is kept by what comes at its very instant; it is missed one microsecond later.
        """
        before = len(self.facts)
        while (due := self._due.take(by_us=now_us)) is not None:
            self._fall_due(due, self.held[due.notice])
        return self.facts[before:]

    def forget(self, now_us: int) -> list[str]:
        """Leave out notices that ended longer ago than they are kept; return their ids.

        One that another stands in the place of goes after that one. What is told of them is in the record.
        """
        gone: list[str] = []
        for key, held in reversed(self.held.items()):
            rule = self.rules.by_name.get(held.notice.rule)
            kept_s = KEPT_S if rule is None or rule.keep_for_s is None else rule.keep_for_s
            is_followed = held.successor is not None and held.successor not in gone
            ended = not held.stands or held.notice.act in (Act.CANCEL, Act.WITHDRAW)
            if ended and not is_followed and held.since_us + round(kept_s * US_PER_S) < now_us:
                gone.append(key)
        for key in gone:
            del self.held[key]
        if gone:
            self._due.drop(gone)
            self._other_names = {name: key for name, key in self._other_names.items() if key in self.held}
        return gone[::-1]

    # --- notices ----------------------------------------------------------------------------------------------------

    def _take_notice(self, notice: Notice) -> None:
        found = self.find(notice.party, notice.replaces) if notice.replaces else None
        old = self.newest(found) if found is not None else None
        if notice.act in (Act.GIVE, Act.CHANGE):
            first = self._alike.same(notice)
            if first is not None and (notice.act is Act.GIVE or (old is not None and first == old.notice.notice_id)):
                self._duplicate(notice, self.held[first])
            else:
                self._give(notice, old)
            return
        if old is None:
            self._refuse(notice, f"{notice.replaces} names no notice of {notice.party} that is known")
            return
        try:
            self._turn(old, _TURNS[notice.act], notice.at_us, by=notice)
        except NoticeError as error:
            self._refuse(notice, f"{old.notice.notice_id}: {error}")
            return
        if notice.act is Act.WITHDRAW:
            self._withdraw_behind(old, notice)
        if notice.act is not Act.CONFIRM:
            self._hold(self._renamed(notice), flags_of(notice, self.rules), (), old)

    def _withdraw_behind(self, held: Held, by: Notice) -> None:
        """Withdraw what a withdrawn notice had replaced: its giver takes back all of it."""
        while held.predecessor is not None and held.predecessor in self.held:
            held = self.held[held.predecessor]
            if Turn.WITHDRAWN in TRANSITIONS[held.standing]:
                self._turn(held, Turn.WITHDRAWN, by.at_us, by=by)

    def _give(self, notice: Notice, old: Held | None) -> None:
        flags: list[Flagged] = list(flags_of(notice, self.rules))
        zones: tuple[str, ...] = ()
        unique = self._renamed(notice)
        same_name = old is not None and notice.replaces == notice.reference
        if unique is not notice and not same_name:
            flags.append(Flagged(flag=Flag.REFERENCE_AGAIN, words=f"{notice.notice_id} is another notice already."))
        notice = unique
        if notice.act is Act.CHANGE:
            problem = self._succeed(notice, old)
            flags += [Flagged(flag=Flag.SUCCEEDS_UNKNOWN, words=problem)] if problem else []
            old = None if problem else old
        if notice.place is not None:
            found, zones = flags_of_place(notice.place, self._ground)
            flags += found
        flags += self._alike.flags(notice)
        self._hold(notice, tuple(flags), zones, old)
        self._alike.add(notice)

    def _succeed(self, notice: Notice, old: Held | None) -> str:
        """Replace the old notice by a change of it, or return the sentence that says why not."""
        if old is None:
            return f"{notice.replaces} names no notice of {notice.party} that is known."
        try:
            self._turn(old, Turn.CHANGED, notice.at_us, by=notice)
        except NoticeError as error:
            return f"{old.notice.notice_id}: {error}."
        return ""

    def _renamed(self, notice: Notice) -> Notice:
        """Return a notice under a name that no other has: its own, or its own with a number."""
        n, own = 1, notice
        while notice.notice_id in self.held or notice.notice_id in self._other_names:
            n += 1
            notice = replace(own, reference=f"{own.reference}~{n}")
        return notice

    def _hold(
        self, notice: Notice, flags: tuple[Flagged, ...], zones: tuple[str, ...], old: Held | None = None
    ) -> None:
        rule = self.rules.by_name.get(notice.rule)
        held = Held(
            notice=notice,
            flags=flags,
            zones=zones,
            standing=Standing.STANDING,
            since_us=notice.at_us,
            confirmed_us=notice.at_us,
            predecessor=old.notice.notice_id if old is not None and notice.act is Act.CHANGE else None,
            lines=lines_owed(notice, rule),
            consents=list(notice.consents),
            verifications=[notice.verification] if notice.verification else [],
        )
        key = notice.notice_id
        self.held[key] = held
        detail = {**notice.as_json(), "flags": [f.as_json() for f in flags], "zones": list(zones)}
        told = f": {', '.join(f.flag for f in flags)}" if flags else ""
        words = f"{notice.given_by} gives {_NOUN[notice.act]} {notice.notice_id}{told}."
        tell = (notice.party,) if flags else ()
        self._fact(FactKind.NOTICE, notice.at_us, held, words, tell, detail)
        for line in held.lines.values():
            if line.deadline_us is not None:
                self._due.add(line.deadline_us + 1, DueKind.RECEIPT, key, receipt=line.receipt, unit=line.unit)
        if notice.to_us is not None and notice.act in (Act.GIVE, Act.CHANGE):
            self._due.add(notice.to_us, DueKind.PASSED, key)
        self._await_expiry(held)

    def _duplicate(self, notice: Notice, first: Held) -> None:
        if notice.notice_id != first.notice.notice_id:
            self._other_names.setdefault(notice.notice_id, first.notice.notice_id)
        words = f"{notice.notice_id} tells what {first.notice.notice_id} told; the first stands."
        detail = {"duplicate": notice.as_json()}
        self._fact(FactKind.DUPLICATE, notice.at_us, first, words, (notice.party,), detail)
        for consent in notice.consents:
            self._add_consent(first, consent)

    def _refuse(self, item: Notice | Consent | Verification, reason: str) -> None:
        words = f"{item.source or item.party}: {reason}."
        detail = {"submission": item.as_json(), "source": item.source}
        self.facts.append(
            Fact(
                kind=FactKind.REFUSED,
                at_us=item.at_us,
                notice=None,
                party=item.party,
                tell=(item.party,),
                words=words,
                detail=detail,
            )
        )

    # --- turns ------------------------------------------------------------------------------------------------------

    def _turn(self, held: Held, turn: Turn, at_us: int, *, by: Notice | None = None) -> None:
        """Let a notice take a turn.

        Raises
        ------
        NoticeError
            If the table does not list it; nothing was changed.
        """
        before = held.standing
        held.standing = next_standing(before, turn)
        if turn is Turn.CONFIRMED:
            held.confirmed_us = at_us
            self._await_expiry(held)
        if turn is Turn.CHANGED and by is not None:
            held.successor = by.notice_id
        if held.standing is not before:
            if before is Standing.STANDING:
                held.stood.append((held.since_us, at_us))
            held.since_us = at_us
        if held.stands:
            self._alike.add(held.notice)
        else:
            self._alike.drop(held.notice)
            for line in held.lines.values():
                line.state = next_line(line.state, LineInput.ENDED)
        who = by.given_by if by else ""
        words = f"{held.notice.notice_id} was {turn} by {who}." if by else f"{held.notice.notice_id}: {_WORDS[turn]}"
        detail = {"turn": str(turn), "standing": str(held.standing), "by": who, "successor": held.successor}
        self._fact(FactKind.STANDING, at_us, held, words, (held.notice.party,), detail)

    def _await_expiry(self, held: Held) -> None:
        rule = self.rules.by_name.get(held.notice.rule)
        expires_us = held.expires_us(rule)
        if rule is None or rule.expires_after_s is None or expires_us is None:
            return
        remind_us = expires_us - round(rule.expires_after_s * REMIND_SHARE * US_PER_S)
        self._due.add(remind_us, DueKind.EXPIRES_SOON, held.notice.notice_id, expires_us=expires_us)
        self._due.add(expires_us, DueKind.EXPIRES, held.notice.notice_id, expires_us=expires_us)

    def _remind(self, held: Held, expires_us: int, at_us: int) -> None:
        if held.stands and held.expires_us(self.rules.by_name.get(held.notice.rule)) == expires_us:
            words = (
                f"{held.notice.notice_id} expires in {format_duration((expires_us - at_us) / US_PER_S)} unless its "
                "giver confirms it."
            )
            detail = {"expires": format_instant(expires_us)}
            self._fact(FactKind.EXPIRES_SOON, at_us, held, words, (held.notice.party,), detail)

    def _expire(self, held: Held, expires_us: int) -> None:
        if held.stands and held.expires_us(self.rules.by_name.get(held.notice.rule)) == expires_us:
            self._turn(held, Turn.EXPIRED, expires_us)

    def _passed(self, held: Held, to_us: int) -> None:
        if held.standing in (Standing.STANDING, Standing.EXPIRED):
            self._turn(held, Turn.PASSED, to_us)

    # --- receipts ---------------------------------------------------------------------------------------------------

    def _line_due(self, held: Held, line: Line) -> None:
        if line.state is not LineState.AWAITED or line.deadline_us is None:
            return
        line.state = next_line(line.state, LineInput.DEADLINE)
        before = upstream(held.lines, line.receipt, line.unit)
        tell = {held.notice.party, *(earlier.of for earlier in before if earlier.of is not None)}
        unit = f" {'by' if line.receipt is Receipt.READ else 'to'} {line.unit}" if line.unit else ""
        words = f"{held.notice.notice_id}: {_RECEIPTS[line.receipt]}{unit} was not confirmed in time."
        self._fact(FactKind.OVERDUE, line.deadline_us, held, words, tuple(sorted(tell)), line.as_json())

    def _take_receipt(self, receipt: ReceiptOf) -> None:
        held = self.find(receipt.party, receipt.notice)
        disposition = Disposition.UNKNOWN_NOTICE
        if held is not None:
            ended_us = None if held.stands else held.since_us
            disposition = hear(held.lines, receipt, given_us=held.notice.at_us, ended_us=ended_us)
        where = f" at {receipt.unit}" if receipt.unit else ""
        name = f"{receipt.party}/{receipt.notice}" if held is None else held.notice.notice_id
        words = f"{receipt.by} says that {name} was {_SAID[receipt.receipt]}{where}: {disposition}."
        self.facts.append(
            Fact(
                kind=FactKind.RECEIPT,
                at_us=receipt.at_us,
                notice=held.notice.notice_id if held else None,
                party=receipt.party,
                words=words,
                detail={**receipt.as_json(), "disposition": str(disposition)},
            )
        )

    # --- consent and verification -----------------------------------------------------------------------------------

    def _take_consent(self, consent: Consent) -> None:
        held = self.find(consent.party, consent.notice)
        if held is None:
            self._refuse(consent, f"{consent.notice} names no notice of {consent.party} that is known")
        else:
            self._add_consent(held, consent)

    def _add_consent(self, held: Held, consent: Consent) -> None:
        held.consents.append(consent)
        does = "takes back that" if consent.taken_back else "agrees that"
        words = f"{consent.by} {does} {held.notice.notice_id} is shown to {consent.to}."
        self._fact(FactKind.CONSENT, consent.at_us, held, words, (), consent.as_json())

    def _take_verification(self, checked: Verification) -> None:
        held = self.find(checked.party, checked.notice)
        if held is None:
            self._refuse(checked, f"{checked.notice} names no notice of {checked.party} that is known")
            return
        held.verifications.append(checked)
        words = f"{checked.verifier or 'Somebody'} found {held.notice.notice_id} {checked.status}."
        self._fact(FactKind.VERIFICATION, checked.at_us, held, words, (held.notice.party,), checked.as_json())

    # --- inside -----------------------------------------------------------------------------------------------------

    def _fall_due(self, due: Due, held: Held) -> None:
        match due.kind:
            case DueKind.RECEIPT if due.receipt is not None:
                self._line_due(held, held.lines[due.receipt, due.unit])
            case DueKind.PASSED:
                self._passed(held, due.at_us)
            case DueKind.EXPIRES_SOON:
                self._remind(held, due.expires_us, due.at_us)
            case DueKind.EXPIRES:
                self._expire(held, due.expires_us)

    def _fact(
        self, kind: FactKind, at_us: int, held: Held, words: str, tell: tuple[str, ...], detail: dict[str, Any]
    ) -> None:
        notice = held.notice
        self.facts.append(
            Fact(
                kind=kind,
                at_us=at_us,
                notice=notice.notice_id,
                party=notice.party,
                tell=tell,
                words=words,
                detail=detail,
            )
        )


_NOUN = {Act.GIVE: "notice", Act.CHANGE: "a changed notice", Act.CANCEL: "a cancellation", Act.WITHDRAW: "a withdrawal"}
_SAID = {Receipt.RECEIVED: "received", Receipt.PASSED_ON: "passed on", Receipt.READ: "read"}
_RECEIPTS = {Receipt.RECEIVED: "receipt", Receipt.PASSED_ON: "passing on", Receipt.READ: "reading"}
_WORDS = {
    Turn.EXPIRED: "it was not confirmed in time and has expired; what it tells of is as protected as before.",
    Turn.PASSED: "the time it told of has passed.",
}


def follow(rules: Rules, items: Iterable[Item], *, until_us: int) -> Register:
    """Return the register after everything that was submitted, up to an instant.

    Parameters
    ----------
    rules : Rules
    items : iterable of Notice, ReceiptOf, Consent or Verification
        In order of time.
    until_us : int
        Later items are taken too; deadlines are judged up to here, or up to the last item if that is later.
    """
    register = Register(rules)
    for item in items:
        register.take(item)
    register.pass_time(until_us)
    return register
