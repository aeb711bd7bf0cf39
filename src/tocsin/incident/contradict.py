"""Contradict: where two accounts of one incident cannot both be so.

Found by rule, on the claim model's own slots (INCIDENT vocabulary in docs/format/claims.md): actor, responsibility,
quantity (ranges that do not meet) and occurrence (the same act said to have been and not to have been), the act naming
the kind: a warning given, a response given, the status of an arrangement. A contradiction is an object that holds
claims side by side; nothing is overwritten, averaged or voted down. A source that says it does not know contradicts
nobody. Places and times are not compared; a distance is a quantity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import combinations

from msgspec import Struct

from tocsin.ids import stable_id
from tocsin.incident.act import ACT_CODES, Act
from tocsin.incident.claim import Certainty, Claim, Mention, Polarity, Quantity, Role
from tocsin.incident.names import Names, normalise_name


class Fact(StrEnum):
    """A column of the matrix: one thing that people ask about an incident."""

    OCCURRENCE = "occurrence"
    ACTOR = "actor"
    TARGET = "target"
    PLACE = "place"
    QUANTITY = "quantity"
    TIME = "time"
    ARRANGEMENT = "arrangement"
    WARNING = "warning"
    RESPONSE = "response"
    CHARACTER = "character"


class ConflictType(StrEnum):
    """On what two accounts part."""

    ACTOR = "actor"
    TARGET = "target_identity"
    RESPONSIBILITY = "responsibility"
    QUANTITY = "quantity"
    OCCURRENCE = "occurrence"
    WARNING_GIVEN = "warning_given"
    RESPONSE_GIVEN = "response_given"
    ARRANGEMENT = "status_of_arrangement"


class Strength(StrEnum):
    """HARD: both as worded cannot be so. SOFT: they part, but a name, a hedge or an "about" may explain it."""

    HARD = "hard"
    SOFT = "soft"


FACT_OF_CONFLICT = {
    ConflictType.ACTOR: Fact.ACTOR,
    ConflictType.RESPONSIBILITY: Fact.ACTOR,
    ConflictType.TARGET: Fact.TARGET,
    ConflictType.QUANTITY: Fact.QUANTITY,
    ConflictType.OCCURRENCE: Fact.OCCURRENCE,
    ConflictType.WARNING_GIVEN: Fact.WARNING,
    ConflictType.RESPONSE_GIVEN: Fact.RESPONSE,
    ConflictType.ARRANGEMENT: Fact.ARRANGEMENT,
}
"""The column in which a contradiction shows."""

_FACT_OF_ACT = {
    Act.AGREEMENT: Fact.ARRANGEMENT,
    Act.OBJECTION: Fact.ARRANGEMENT,
    Act.WARNING: Fact.WARNING,
    Act.NOTIFICATION: Fact.WARNING,
    Act.RESPONSE: Fact.RESPONSE,
    Act.NON_RESPONSE: Fact.RESPONSE,
    Act.UNKNOWN_ATTRIBUTION: Fact.ACTOR,
} | dict.fromkeys(
    (
        Act.ACCUSATION, Act.DENIAL, Act.CONDEMNATION, Act.ADMISSION, Act.FINDING, Act.INTENT, Act.NO_COMMENT,
        Act.UNVERIFIED, Act.CORRECTION, Act.BACKGROUND, Act.SUPPORT, Act.TRAINING,
    ),
    Fact.CHARACTER,
)  # fmt: skip

_FLIP_TYPES = {
    Fact.ARRANGEMENT: ConflictType.ARRANGEMENT,
    Fact.WARNING: ConflictType.WARNING_GIVEN,
    Fact.RESPONSE: ConflictType.RESPONSE_GIVEN,
    Fact.OCCURRENCE: ConflictType.OCCURRENCE,
}


def fact_of(act: Act) -> Fact:
    """Return the column that an act belongs to."""
    return _FACT_OF_ACT.get(act, Fact.OCCURRENCE)


class Side(Struct, frozen=True, kw_only=True):
    """One account within a contradiction: who says so, and from how many independent roots."""

    label: str
    claim_ids: tuple[str, ...]
    root_ids: tuple[str, ...]


class Contradiction(Struct, frozen=True, kw_only=True):
    """Claims that part, held side by side. It is never resolved here."""

    contradiction_id: str
    type: ConflictType
    subject: str
    sides: tuple[Side, ...]
    strength: Strength
    reason: str

    def as_json(self) -> dict[str, object]:
        """Return the contradiction as a JSON object."""
        return {
            "contradiction_id": self.contradiction_id,
            "type": str(self.type),
            "subject": self.subject,
            "strength": str(self.strength),
            "reason": self.reason,
            "sides": [{"label": s.label, "claims": list(s.claim_ids), "roots": list(s.root_ids)} for s in self.sides],
        }


def find_contradictions(
    claims: Sequence[Claim], *, roots: Mapping[str, str], names: Names
) -> tuple[Contradiction, ...]:
    """Return the contradictions among claims of one incident, in a stable order.

    Parameters
    ----------
    claims : sequence of Claim
        Without those that their own source took back.
    roots : mapping of str to str
        Source id to the id of its root.
    names : Names
    """
    spoken = [c for c in claims if c.certainty is not Certainty.UNKNOWN]
    pairs: dict[tuple[ConflictType, str], _Parting] = {}
    for a, b in combinations(spoken, 2):
        for parting in (*_occurrence(a, b, names), *_actor(a, b, names), *_quantity(a, b)):
            pairs.setdefault((parting.type, parting.key), _Parting(parting.type, parting.key)).take(parting)
    found = (parting.as_contradiction(roots) for _, parting in sorted(pairs.items()))
    return tuple(found)


class _Parting:
    """Pairs of claims that part on the same thing, gathered until their sides are known."""

    def __init__(self, kind: ConflictType, key: str) -> None:
        self.type = kind
        self.key = key
        self.labels: dict[str, list[Claim]] = {}
        self.is_hard = False
        self.reason = ""

    def of(self, a: tuple[str, Claim], b: tuple[str, Claim], *, is_hard: bool, reason: str) -> _Parting:
        for label, claim in (a, b):
            self.labels.setdefault(label, []).append(claim)
        self.is_hard = is_hard
        self.reason = reason
        return self

    def take(self, other: _Parting) -> None:
        for label, claims in other.labels.items():
            ours = self.labels.setdefault(label, [])
            ours.extend(c for c in claims if c not in ours)
        if not self.reason or other.is_hard > self.is_hard:
            self.reason = other.reason
        self.is_hard = self.is_hard or other.is_hard

    def as_contradiction(self, roots: Mapping[str, str]) -> Contradiction:
        """Return what was gathered as a value; `roots` names the origin of each source, so that echoes count once."""
        sides = tuple(
            Side(
                label=label,
                claim_ids=tuple(sorted(c.claim_id for c in claims)),
                root_ids=tuple(sorted({roots[c.source_id] for c in claims})),
            )
            for label, claims in sorted(self.labels.items())
        )
        incident = next(c.incident_id for claims in self.labels.values() for c in claims)
        return Contradiction(
            contradiction_id=stable_id(
                "contradiction", str(self.type), incident, self.key, *(i for s in sides for i in s.claim_ids)
            ),
            type=self.type,
            subject=self.key,
            sides=sides,
            strength=Strength.HARD if self.is_hard else Strength.SOFT,
            reason=self.reason,
        )


def _occurrence(a: Claim, b: Claim, names: Names) -> Iterable[_Parting]:
    (act_a, yes_a), (act_b, yes_b) = _said(a), _said(b)
    fact = fact_of(act_a)
    subject = a.about or str(act_a)
    if subject != (b.about or str(act_b)) or yes_a == yes_b or fact not in _FLIP_TYPES or not _kin(act_a, act_b):
        return
    who_a, who_b = _keys(a.actors, names), _keys(b.actors, names)
    if who_a and who_b and not _meet(who_a, who_b, names):
        return
    sides = [("was so" if yes else "was not so", claim) for yes, claim in ((yes_a, a), (yes_b, b))]
    yield _Parting(_FLIP_TYPES[fact], subject).of(
        sides[0], sides[1],
        is_hard=_is_certain(a, b),
        reason=f"said to have been and not to have been: {ACT_CODES[act_a].gloss}",
    )  # fmt: skip


def _actor(a: Claim, b: Claim, names: Names) -> Iterable[_Parting]:
    both_yes = a.polarity is b.polarity is Polarity.POSITIVE
    if a.subject != b.subject or not both_yes or fact_of(a.act) is not Fact.OCCURRENCE or not _kin(a.act, b.act):
        return
    yield from _identity(ConflictType.ACTOR, (a, a.actors), (b, b.actors), names)
    yield from _identity(ConflictType.TARGET, (a, a.targets), (b, b.targets), names)
    for x, y in ((a, b), (b, a)):
        both = _keys(x.actors, names, roles=(Role.DENIED,)) & _keys(y.actors, names)
        if both:
            yield _Parting(ConflictType.RESPONSIBILITY, a.subject).of(
                (f"not {_label(both, names)}", x), (_label(both, names), y),
                is_hard=_is_certain(x, y),
                reason="said to have done it and not to have done it",
            )  # fmt: skip


def _identity(
    kind: ConflictType,
    one: tuple[Claim, tuple[Mention, ...]],
    other: tuple[Claim, tuple[Mention, ...]],
    names: Names,
) -> Iterable[_Parting]:
    (a, mentions_a), (b, mentions_b) = one, other
    who_a, who_b = _keys(mentions_a, names), _keys(mentions_b, names)
    if not who_a or not who_b or _meet(who_a, who_b, names):
        return
    known = all(names.holds(w) for w in who_a | who_b)
    kept_apart = all(names.is_kept_apart(x, y) for x in who_a for y in who_b)
    suspected = any(m.role is Role.SUSPECTED for m in (*mentions_a, *mentions_b))
    yield _Parting(kind, a.subject).of(
        (_label(who_a, names), a), (_label(who_b, names), b),
        is_hard=(known or kept_apart) and not suspected and _is_certain(a, b),
        reason="different names, which may be names of one" if not known else "different ones are named",
    )  # fmt: skip


def _quantity(a: Claim, b: Claim) -> Iterable[_Parting]:
    if Polarity.NEGATIVE in (a.polarity, b.polarity):
        return
    for qa in a.quantities:
        for qb in b.quantities:
            (unit_a, low_a, high_a), (unit_b, low_b, high_b) = qa.as_range(), qb.as_range()
            of = normalise_name(qa.of)
            if unit_a != unit_b or of != normalise_name(qb.of) or (low_a <= high_b and low_b <= high_a):
                continue
            yield _Parting(ConflictType.QUANTITY, of).of(
                (format_quantity(qa), a), (format_quantity(qb), b),
                is_hard=_is_certain(a, b) and not (qa.is_approximate or qb.is_approximate),
                reason="ranges that do not meet",
            )  # fmt: skip


def _said(claim: Claim) -> tuple[Act, bool]:
    """Return the act and whether it is said to have been; no reply is a reply said not to have been."""
    yes = claim.polarity is Polarity.POSITIVE
    return (Act.RESPONSE, not yes) if claim.act is Act.NON_RESPONSE else (claim.act, yes)


def _kin(a: Act, b: Act) -> bool:
    """Return True if two acts may be words for one: the same, or both some manner of attack."""
    return a is b or ACT_CODES[a].plover == ACT_CODES[b].plover == "ASSAULT"


def _is_certain(*claims: Claim) -> bool:
    return all(c.certainty is Certainty.CERTAIN for c in claims)


_NAMED = (Role.REPORTED, Role.CLAIMED, Role.ADMITTED, Role.SUSPECTED)


def _keys(mentions: Iterable[Mention], names: Names, *, roles: tuple[Role, ...] = _NAMED) -> frozenset[str]:
    return frozenset(
        m.actor_id or names.resolve(m.as_worded) or normalise_name(m.as_worded) for m in mentions if m.role in roles
    )


def _meet(a: frozenset[str], b: frozenset[str], names: Names) -> bool:
    return bool(a & b) or any(names.is_related(x, y) for x in a for y in b)


def _label(keys: frozenset[str], names: Names) -> str:
    return ", ".join(sorted(names.preferred(k) for k in keys))


def format_quantity(quantity: Quantity) -> str:
    """Return a quantity's range in its own unit, such as "20 to 25 km" or "at least about 24 lorries"."""
    low, high = quantity.low, quantity.high
    about = "about " if quantity.is_approximate else ""
    if low is not None and high is not None:
        return f"{about}{low:g} {quantity.unit}" if low == high else f"{about}{low:g} to {high:g} {quantity.unit}"
    return f"at least {about}{low:g} {quantity.unit}" if low is not None else f"at most {about}{high:g} {quantity.unit}"
