"""Check: what an agreement asks of a notice and does not find in it. Flags with a sentence each; nothing is refused.

Completeness is `content`, lead time is `lead` and `short_notice` (NOT-01, NOT-04). A late notice is a notice: it is
accepted, recorded, passed on and flagged. Positions are checked by `places.py`, likeness by `alike.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from tocsin.agreement.notices.notice import Area, Around, Notice, Route
from tocsin.agreement.notices.rules import Rule, Rules
from tocsin.agreement.notices.words import Act, Checked, Flag, NoticeKind
from tocsin.clock import US_PER_S
from tocsin.units import format_duration


class Flagged(Struct, frozen=True, kw_only=True):
    """One flag and the sentence that says what was found."""

    flag: Flag
    words: str

    def as_json(self) -> dict[str, str]:
        """Return the flag as a JSON object."""
        return {"flag": str(self.flag), "words": self.words}


_TOLD: dict[str, Callable[[Notice], bool]] = {
    **dict.fromkeys(
        ("vessel", "vessels", "vehicle", "vehicles", "aircraft", "mover", "movers", "convoy"),
        lambda n: bool(n.movers),
    ),
    **dict.fromkeys(("track", "tracks"), lambda n: any(m.track_id for m in n.movers)),
    **dict.fromkeys(("marking", "markings"), lambda n: any(m.marking for m in n.movers)),
    "area": lambda n: isinstance(n.place, Area | Around | Route),
    "route": lambda n: isinstance(n.place, Route),
    **dict.fromkeys(("position", "coordinates", "location"), lambda n: n.place is not None),
    **dict.fromkeys(("site", "sites"), lambda n: n.site is not None),
    **dict.fromkeys(("from", "start"), lambda n: n.from_us is not None),
    **dict.fromkeys(("to", "end"), lambda n: n.to_us is not None),
    **dict.fromkeys(("party", "giver", "given_by"), lambda n: True),
    "reason": lambda n: bool(n.reason),
    "verification": lambda n: n.verification is not None,
}
"""The agreement's words for content that has a place of its own in the form; every other word is a key of `content`."""


def missing_content(notice: Notice, rule: Rule) -> tuple[str, ...]:
    """Return the words of the agreement's `content` that the notice does not answer.

    Examples
    --------
    >>> from tocsin.agreement.notices.words import RuleName
    >>> rule = Rule(name=RuleName.MOVEMENT, clause="", content=("vessel", "gear"), lead_s=None,
    ...             short_allowed=None, short_min_s=0.0, reason_required=False, within_s={}, passed_to=(),
    ...             visible_to=None, expires_after_s=None)
    >>> missing_content(Notice(reference="1", rule=RuleName.MOVEMENT, kind=NoticeKind.MOVEMENT, party="p",
    ...                        given_by="x", given_us=0, content={"gear": "pots"}), rule)
    ('vessel',)
    """
    return tuple(word for word in rule.content if not _is_told(notice, word))


def flags_of(notice: Notice, rules: Rules) -> tuple[Flagged, ...]:
    """Return what should be looked at in a notice by itself, in the order of `Flag`."""
    rule = rules.by_name.get(notice.rule)
    found = [*_of_party(notice, rules), *_of_form(notice)]
    if rule is None:
        words = f"The agreement sets no notices.{notice.rule}: nothing could be checked and nobody owes a receipt."
        found.append(Flagged(flag=Flag.NO_RULE, words=words))
    else:
        found += [*_of_content(notice, rule), *_of_time(notice, rule), *_of_end(notice, rule)]
    order = list(Flag)
    return tuple(sorted(found, key=lambda flagged: order.index(flagged.flag)))


def lead_s(notice: Notice) -> float | None:
    """Return how long before its start a notice was given, seconds, negative if after it; None without a start."""
    return None if notice.from_us is None else (notice.from_us - notice.at_us) / US_PER_S


def _is_told(notice: Notice, word: str) -> bool:
    if notice.content.get(word, "").strip():
        return True
    told = _TOLD.get(word)
    return told is not None and told(notice)


def _of_party(notice: Notice, rules: Rules) -> Iterator[Flagged]:
    if notice.party not in rules.parties:
        yield Flagged(flag=Flag.UNKNOWN_PARTY, words=f"{notice.party} is no party of the agreement.")


def _of_form(notice: Notice) -> Iterator[Flagged]:
    if notice.act not in (Act.GIVE, Act.CHANGE):
        return
    if notice.place is None:
        yield Flagged(flag=Flag.NO_PLACE, words="Neither a route nor an area nor a position is given.")
    if notice.kind is NoticeKind.SITE:
        checked = notice.verification
        if checked is None or checked.status is not Checked.VERIFIED:
            state = checked.status if checked else Checked.UNVERIFIED
            yield Flagged(flag=Flag.UNVERIFIED, words=f"The site's position is {state}.")
        return
    if not any(mover.track_id for mover in notice.movers):
        words = "No mover has a track id: the watch cannot tell it from others, and warns it as anybody."
        yield Flagged(flag=Flag.NO_TRACK, words=words)
    if notice.from_us is None or notice.to_us is None:
        blank = " and ".join(w for w, at in (("from", notice.from_us), ("to", notice.to_us)) if at is None)
        yield Flagged(flag=Flag.NO_WINDOW, words=f"It does not say {blank}: the watch cannot tell when it holds.")


def _of_content(notice: Notice, rule: Rule) -> Iterator[Flagged]:
    missing = missing_content(notice, rule) if notice.act in (Act.GIVE, Act.CHANGE) else ()
    if missing:
        words = f"Missing, of what {rule.clause}.content asks for: {', '.join(missing)}."
        yield Flagged(flag=Flag.INCOMPLETE, words=words)
    if not rule.passed_to:
        yield Flagged(flag=Flag.NO_UNITS, words=f"{rule.clause}.passed_to names no units: only receipt can be awaited.")


def _of_time(notice: Notice, rule: Rule) -> Iterator[Flagged]:
    ahead = lead_s(notice)
    if ahead is None or notice.act not in (Act.GIVE, Act.CHANGE):
        return
    if ahead < 0:
        yield Flagged(flag=Flag.AFTER_START, words=f"Given {format_duration(-ahead)} after its start.")
    if rule.lead_s is None or ahead >= rule.lead_s:
        return
    given = f"{format_duration(ahead)} before its start" if ahead >= 0 else "after its start"
    agreed = f"{format_duration(rule.lead_s)} are agreed ({rule.clause}.lead)"
    if not rule.short_allowed or ahead < rule.short_min_s or ahead < 0:
        path = (
            f"short notice reaches to {format_duration(rule.short_min_s)}" if rule.short_allowed else "no short notice"
        )
        yield Flagged(flag=Flag.LATE, words=f"Given {given}; {agreed}, {path}.")
        return
    yield Flagged(flag=Flag.SHORT_NOTICE, words=f"Given {given}, by the path for short notice; {agreed}.")
    if rule.reason_required and not notice.reason.strip():
        yield Flagged(flag=Flag.NO_REASON, words="Short notice without the reason that the agreement asks for.")


def _of_end(notice: Notice, rule: Rule) -> Iterator[Flagged]:
    if notice.act in (Act.GIVE, Act.CHANGE) and notice.to_us is None and rule.expires_after_s is None:
        words = (
            f"It has no end, and {rule.clause}.expires_after sets none: nobody will be asked whether it still holds."
        )
        yield Flagged(flag=Flag.NO_EXPIRY, words=words)
