"""Consent: whether one recipient may be shown one notice now, and why. Pure; whoever shows it asks here first.

A list of protected sites can be used as a list of targets, so a site is shown to a recipient only on consent that was
recorded for that recipient before (SEMANTICS §3.8, §3.9). For movement notices the agreement's own closed list
(`passed_to`, `visible_to`) is what its parties consented to by joining it; a consent that stands in a notice narrows
that to the recipients it names. What `routing` lets a party see at all is `agreement/visible.py`'s to say, on top.
"""

from __future__ import annotations

from tocsin.agreement.notices.held import Held
from tocsin.agreement.notices.register import Register
from tocsin.agreement.notices.rules import Rules
from tocsin.agreement.notices.standing import Standing
from tocsin.agreement.notices.words import SHOWN, Answer, NoticeKind, RuleName


def may_show(register: Register, notice_id: str, *, to: str, now_us: int) -> Answer:
    """Return whether a notice may be shown to a recipient now, and why; ask before, and record that you did.

    Parameters
    ----------
    register : Register
        Up to date: `pass_time(now_us)` was called.
    notice_id : str
    to : str
        A party's id.
    now_us : int
        Only consents given by now count.

    Returns
    -------
    Answer
        One of `SHOWN`, or why not.
    """
    held = register.held.get(notice_id)
    return Answer.UNKNOWN_NOTICE if held is None else answer_of(held, register.rules, to=to, now_us=now_us)


def answer_of(held: Held, rules: Rules, *, to: str, now_us: int) -> Answer:
    """Return whether a notice of a register may be shown to a recipient; see `may_show`."""
    if rules.may_speak(to, of=held.notice.party):
        return Answer.OWN
    if held.standing is Standing.WITHDRAWN:
        return Answer.WITHDRAWN
    if held.standing is Standing.EXPIRED:
        return Answer.EXPIRED
    told = [c for c in held.consents if c.to == to and c.at_us <= now_us]
    newest = max(told, key=lambda c: (c.at_us, c.taken_back), default=None)
    if newest is not None:
        if newest.taken_back:
            return Answer.TAKEN_BACK
        is_over = newest.until_us is not None and now_us >= newest.until_us
        return Answer.CONSENT_ENDED if is_over else Answer.CONSENT
    return Answer.LISTED if to in _listed(held, rules) else Answer.NO_CONSENT


def recipients(held: Held, rules: Rules, *, now_us: int) -> frozenset[str]:
    """Return the parties that a notice may be shown to now, the giver among them: `visible.Thing.consented`."""
    asked = rules.parties | {c.to for c in held.consents} | {held.notice.party}
    return frozenset(party for party in asked if answer_of(held, rules, to=party, now_us=now_us) in SHOWN)


def _listed(held: Held, rules: Rules) -> frozenset[str]:
    """Return the recipients that the agreement itself names for a notice, unless the giver named its own."""
    rule = rules.by_name.get(held.notice.rule)
    is_movement = held.notice.rule is RuleName.MOVEMENT and held.notice.kind is NoticeKind.MOVEMENT
    if rule is None or not is_movement or held.notice.consents:
        return frozenset()
    return frozenset(rule.passed_to) | (rule.visible_to or frozenset())
