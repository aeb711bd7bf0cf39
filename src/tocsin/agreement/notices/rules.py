"""Rules: what an agreement says about notices, compiled: what stands in them, by when, to whom.

Implements `notices.movement` and `notices.humanitarian` of `tocsin-agreement/1` (AGREEMENT §4; NOT-01 to NOT-06). A
section that does not say that an acknowledgement is no leave cannot be used (NOT-03). What is not set stays None: no
deadline is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tocsin.agreement.compile import ALL
from tocsin.agreement.model import Agreement
from tocsin.agreement.notices.budget import F3548, Budget, budget_of, fault_of
from tocsin.agreement.notices.words import Receipt, RuleName
from tocsin.agreement.terms import mechanisms
from tocsin.agreement.terms.state import given
from tocsin.agreement.watchlist import Watchlist, Zone
from tocsin.errors import AgreementError, AgreementErrors


class Rule(Struct, frozen=True, kw_only=True):
    """One section of the agreement's notices.

    Attributes
    ----------
    name : RuleName
    clause : str
        Where it stands in the agreement.
    content : tuple of str
        What must stand in one.
    lead_s : float or None
        How long before the start.
    short_allowed : bool or None
        Whether there is a path for short notice; None where the agreement is silent.
    short_min_s : float
        How long before the start that path still reaches.
    reason_required : bool
        Whether short notice needs its reason.
    within_s : mapping of Receipt to float
        Deadlines, counted from when the notice was given; a receipt that is missing has none.
    passed_to : tuple of str
        The closed list of units.
    visible_to : frozenset of str or None
        The parties that may see such a notice; None where the agreement sets none.
    expires_after_s : float or None
        When a notice ends unless it is confirmed.
    budget : Budget
        By how much a notified mover may leave what was told.
    keep_for_s : float or None
        How long a notice that has ended is kept in the register.
    """

    name: RuleName
    clause: str
    content: tuple[str, ...]
    lead_s: float | None
    short_allowed: bool | None
    short_min_s: float
    reason_required: bool
    within_s: Mapping[Receipt, float]
    passed_to: tuple[str, ...]
    visible_to: frozenset[str] | None
    expires_after_s: float | None
    budget: Budget = F3548
    keep_for_s: float | None = None


class Rules(Struct, frozen=True, kw_only=True):
    """Everything that judging notices needs of one agreement version.

    Attributes
    ----------
    agreement_id : str
    version : int
    by_name : mapping of RuleName to Rule
        The sections that are set.
    parties : frozenset of str
    speaks_for : mapping of str to frozenset of str
        By party: the parties that it speaks for, itself included.
    zones : sequence of Zone
        Compiled, as the watch has them.
    """

    agreement_id: str
    version: int
    by_name: Mapping[RuleName, Rule]
    parties: frozenset[str]
    speaks_for: Mapping[str, frozenset[str]]
    zones: Sequence[Zone]

    def may_speak(self, party: str, *, of: str) -> bool:
        """Return True if a party may change or end a notice of another: it is the same, or speaks for it."""
        return of in self.speaks_for.get(party, frozenset({party}))


def compile_rules(agreement: Agreement, watchlist: Watchlist) -> Rules:
    """Return an agreement's rules of notices.

    Parameters
    ----------
    agreement : Agreement
    watchlist : Watchlist
        Of the same version; its zones are what positions are checked against.

    Raises
    ------
    AgreementErrors
        If a section that is set does not say `ack_is_permission: false`, or its excursions are no budget.
    """
    notices = given(agreement.notices)
    sections = {name: given(getattr(notices, name)) for name in RuleName} if notices else {}
    errors: list[AgreementError] = []
    found = {}
    for name, section in sections.items():
        if section is None:
            continue
        if given(section.ack_is_permission) is not False:
            path = f"{section.path}.ack_is_permission"
            said = given(section.ack_is_permission)
            state = "true" if said else agreement.state(path)
            expected = "false: a notice that is acknowledged was received, and no more"
            errors.append(AgreementError(f"ack_is_permission {state}", expected=expected, place=agreement.where(path)))
        fault = fault_of(given(section.excursions))
        if fault is not None:
            place = agreement.where(f"{section.path}.excursions")
            errors.append(AgreementError(fault, expected="numbers of one budget", place=place))
            continue
        found[name] = rule_of(name, section)
    if errors:
        raise AgreementErrors(errors)
    parties = given(agreement.parties) or ()
    return Rules(
        agreement_id=agreement.id,
        version=watchlist.version,
        by_name=found,
        parties=frozenset(party.id for party in parties),
        speaks_for={party.id: frozenset((party.id, *(given(party.speaks_for) or ()))) for party in parties},
        zones=watchlist.zones,
    )


def rule_of(name: RuleName, told: mechanisms.Notice) -> Rule:
    """Return one section, compiled; a blank stays None or empty."""
    short = given(told.short_notice)
    deadlines = (
        (Receipt.RECEIVED, told.receipt_within_s),
        (Receipt.PASSED_ON, told.passed_within_s),
        (Receipt.READ, told.read_within_s),
    )
    visible = given(told.visible_to)
    return Rule(
        name=name,
        clause=told.path,
        content=given(told.content) or (),
        lead_s=given(told.lead_s),
        short_allowed=given(short.allowed) if short else None,
        short_min_s=(given(short.min_s) or 0.0) if short else 0.0,
        reason_required=bool(given(short.reason_required)) if short else False,
        within_s={receipt: within for receipt, told_s in deadlines if (within := given(told_s)) is not None},
        passed_to=given(told.passed_to) or (),
        visible_to=None if visible is None or ALL in visible else frozenset(visible),
        expires_after_s=given(told.expires_after_s),
        budget=budget_of(given(told.excursions)),
        keep_for_s=given(told.keep_for_s),
    )
