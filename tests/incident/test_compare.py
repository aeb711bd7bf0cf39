"""Accounts side by side: what must be found, what must not, and that nobody is merged or preferred."""

import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from tocsin.incident.act import ACT_CODES, Act
from tocsin.incident.book import Incident
from tocsin.incident.claim import (
    Attribution,
    Certainty,
    Claim,
    Hand,
    Handing,
    Mention,
    Polarity,
    Quantity,
    Role,
    Source,
    SourceKind,
)
from tocsin.incident.compare import Standing, compare
from tocsin.incident.contradict import ConflictType, Fact, Strength
from tocsin.incident.load import load_claims
from tocsin.incident.names import AliasGroup, Names

EXAMPLE = Path(__file__).parents[2] / "examples" / "at-tanf" / "claims.yaml"
INCIDENT = Incident(incident_id="i", title="T")
SOURCES = tuple(Source(source_id=s, name=s.upper(), kind=SourceKind.MEDIA) for s in "abcd")
NAMES = Names(
    (
        AliasGroup(actor_id="coalition", preferred="the coalition"),
        AliasGroup(actor_id="member", preferred="Member State", part_of=("coalition",)),
        AliasGroup(actor_id="guard", preferred="Coast Guard", alternates=("the Guard",)),
    )
)


def claim(source="a", act=Act.ENTRY, **more):
    return Claim(
        claim_id=more.pop("claim_id", f"{source}-{act}"),
        incident_id="i", source_id=source, words="w", is_verbatim=True, attribution=Attribution.DIRECT, act=act, **more,
    )  # fmt: skip


def count(low, high, of="vehicles", unit="vehicles", **more):
    return Quantity(as_worded=f"{low}..{high}", low=low, high=high, unit=unit, of=of, **more)


def by(*names, role=Role.REPORTED):
    return tuple(Mention(as_worded=n, role=role) for n in names)


def found(*claims, sources=SOURCES, names=NAMES):
    return compare(INCIDENT, claims, sources=sources, names=names).contradictions


def test_quantity_ranges_that_do_not_meet_contradict_without_a_mean():
    (got,) = found(
        claim("a", quantities=(count(4, 4),)), claim("b", quantities=(count(13, 20),)),
        claim("c", quantities=(count(15, None),)),
    )  # fmt: skip
    assert (got.type, got.strength) == (ConflictType.QUANTITY, Strength.HARD)
    assert [s.label for s in got.sides] == ["13 to 20 vehicles", "4 vehicles", "at least 15 vehicles"]


@pytest.mark.parametrize(
    "other",
    [count(20, None), count(1, 9), count(5, 5, of="lorries"), count(5, 5, unit="lorries")],
    ids=["open end", "ranges meet", "another thing", "another unit"],
)
def test_quantity_that_may_be_the_same_is_no_contradiction(other):
    assert found(claim("a", quantities=(count(9, 30),)), claim("b", quantities=(other,))) == ()


def test_quantity_is_compared_in_one_unit():
    miles = count(17, 17, of="distance", unit="mi")
    assert (
        found(claim("a", quantities=(count(26.5, 27.5, of="distance", unit="km"),)), claim("b", quantities=(miles,)))
        == ()
    )
    assert found(claim("a", quantities=(count(55, 55, of="distance", unit="km"),)), claim("b", quantities=(miles,)))


def test_quantity_said_to_be_about_contradicts_softly():
    (got,) = found(claim("a", quantities=(count(4, 4, is_approximate=True),)), claim("b", quantities=(count(13, 13),)))
    assert got.strength is Strength.SOFT


def test_occurrence_denied_contradicts_the_assertion():
    (got,) = found(claim("a"), claim("b", polarity=Polarity.NEGATIVE))
    assert (got.type, [s.label for s in got.sides]) == (ConflictType.OCCURRENCE, ["was not so", "was so"])


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (Act.WARNING, ConflictType.WARNING_GIVEN),
        (Act.AGREEMENT, ConflictType.ARRANGEMENT),
        (Act.RESPONSE, ConflictType.RESPONSE_GIVEN),
    ],
)
def test_occurrence_flip_is_named_by_its_act(act, kind):
    assert [c.type for c in found(claim("a", act), claim("b", act, polarity=Polarity.NEGATIVE))] == [kind]


def test_no_reply_contradicts_a_reply():
    (got,) = found(claim("a", Act.NON_RESPONSE), claim("b", Act.RESPONSE))
    assert got.type is ConflictType.RESPONSE_GIVEN


def test_different_manners_of_attack_are_one_act_about_one_happening():
    yes = claim("a", Act.AIR_STRIKE, about="x")
    no = claim("b", Act.ATTACK, about="x", polarity=Polarity.NEGATIVE)
    assert found(yes, no)
    assert found(yes, replace(no, about="y")) == ()


def test_flip_about_different_actors_is_no_contradiction():
    assert (
        found(claim("a", actors=by("Coast Guard")), claim("b", actors=by("coalition"), polarity=Polarity.NEGATIVE))
        == ()
    )


def test_not_knowing_contradicts_nobody_and_is_an_answer():
    unknown = claim("b", certainty=Certainty.UNKNOWN, polarity=Polarity.NEGATIVE)
    got = compare(INCIDENT, [claim("a"), unknown], sources=SOURCES, names=NAMES)
    assert got.contradictions == ()
    assert [e.is_undetermined for row in got.rows for e in row.cells[Fact.OCCURRENCE]] == [False, True]
    alone = compare(INCIDENT, [unknown], sources=SOURCES, names=NAMES)
    assert {c.fact: c.standing for c in alone.columns}[Fact.OCCURRENCE] is Standing.UNDETERMINED
    assert {c.fact: c.standing for c in alone.columns}[Fact.PLACE] is Standing.NOT_SAID


def test_actor_named_differently_contradicts_hard_only_between_known_actors():
    known = found(claim("a", actors=by("Coast Guard")), claim("b", actors=by("Coalition")))
    unknown = found(claim("a", actors=by("Coast Guard")), claim("b", actors=by("the grey boats")))
    assert [(c.type, c.strength) for c in known + unknown] == [
        (ConflictType.ACTOR, Strength.HARD), (ConflictType.ACTOR, Strength.SOFT),
    ]  # fmt: skip


def test_actor_under_an_alias_or_part_of_the_other_is_no_contradiction():
    assert found(claim("a", actors=by("Coast Guard")), claim("b", actors=by("the guard's"))) == ()
    assert found(claim("a", actors=by("Coalition")), claim("b", actors=by("Member State"))) == ()


def test_actor_undetermined_contradicts_nobody():
    assert found(claim("a", actors=by("Coast Guard")), claim("b", actors=by("unclear", role=Role.UNKNOWN))) == ()


def test_actor_that_denies_contradicts_the_one_who_names_it():
    (got,) = found(claim("a", actors=by("Coast Guard", role=Role.DENIED)), claim("b", actors=by("the Guard")))
    assert (got.type, [s.label for s in got.sides]) == (ConflictType.RESPONSIBILITY, ["Coast Guard", "not Coast Guard"])


def test_target_named_differently_contradicts():
    (got,) = found(
        claim("a", Act.ATTACK, targets=by("Coast Guard")), claim("b", Act.ATTACK, targets=by("Member State"))
    )
    assert got.type is ConflictType.TARGET


def test_copies_of_one_agency_are_one_root():
    sources = (*SOURCES[:2], replace(SOURCES[2], parent="a"))
    copied = claim("a", via=(Hand(source_id="b", how=Handing.COPIES),))
    said = [copied, replace(copied, claim_id="a2"), claim("c")]
    got = compare(INCIDENT, said, sources=sources, names=NAMES)
    column = next(c for c in got.columns if c.fact is Fact.OCCURRENCE)
    assert (column.root_ids, column.standing) == (("a",), Standing.ONE_ACCOUNT)


def test_claim_taken_back_stays_in_sight_and_contradicts_no_more():
    old, new = claim("a", claim_id="old"), claim("a", claim_id="new", polarity=Polarity.NEGATIVE, supersedes="old")
    got = compare(INCIDENT, [old, new, claim("b", polarity=Polarity.NEGATIVE)], sources=SOURCES, names=NAMES)
    assert got.contradictions == ()
    assert [(e.claim.claim_id, e.succeeded_by) for e in got.rows[0].cells[Fact.OCCURRENCE]] == [
        ("old", "new"),
        ("new", None),
    ]


def test_compare_leaves_the_claims_of_other_incidents_aside():
    other = replace(claim("b", polarity=Polarity.NEGATIVE), incident_id="j")
    assert [r.source.source_id for r in compare(INCIDENT, [claim("a"), other], sources=SOURCES, names=NAMES).rows] == [
        "a"
    ]


def test_compare_order_of_claims_changes_no_contradiction():
    book = load_claims(EXAMPLE)
    incident = book.incidents[0]
    want = [c.as_json() for c in compare(incident, book.claims, sources=book.sources, names=book.names).contradictions]
    shuffled = list(book.claims)
    for seed in range(5):
        random.Random(seed).shuffle(shuffled)
        got = compare(incident, shuffled, sources=book.sources, names=book.names).contradictions
        assert [c.as_json() for c in got] == want


def test_example_finds_the_status_of_the_zone_disputed_and_merges_no_coalition():
    book = load_claims(EXAMPLE)
    got = {
        i.incident_id: {c.type for c in compare(i, book.claims, sources=book.sources, names=book.names).contradictions}
        for i in book.incidents
    }
    assert got["may-18"] == {ConflictType.ACTOR, ConflictType.TARGET, ConflictType.QUANTITY, ConflictType.ARRANGEMENT}
    assert got["exercise"] == {ConflictType.ACTOR, ConflictType.OCCURRENCE, ConflictType.QUANTITY}
    assert book.names.resolve("coalition") == "coalition"
    assert book.names.resolve("pro-coalition forces") is None


def test_every_act_has_its_codes():
    assert set(ACT_CODES) == set(Act)
