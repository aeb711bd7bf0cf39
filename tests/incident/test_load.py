"""Claims as they are read: each test names the misreading it would catch."""

from pathlib import Path

import pytest

from tocsin.errors import ClaimError
from tocsin.incident.claim import Certainty, Polarity, Reliability
from tocsin.incident.load import load_claims, parse_claims

EXAMPLE = Path(__file__).parents[2] / "examples" / "at-tanf" / "claims.yaml"

HEAD = """\
format: tocsin-claims/1
sources:
  - {id: a, name: A, kind: state}
  - {id: b, name: B, kind: media}
incidents:
  - {id: i, title: T}
claims:
"""
CLAIM = "  - {id: c1, incident: i, source: a, words: W, attribution: direct, act: entry, certainty: certain}\n"


def parse(tail: str, head: str = HEAD):
    return parse_claims((head + tail).encode(), file="claims.yaml")


def test_example_loads_and_grades_nobody():
    book = load_claims(EXAMPLE)
    assert {s.reliability for s in book.sources} == {Reliability.F}
    assert {c.credibility for c in book.claims} == {6}
    assert {i.incident_id: i.sensors is not None for i in book.incidents} == {
        "may-18": False, "june": False, "exercise": True,
    }  # fmt: skip


def test_example_marks_every_reworded_claim_as_no_quotation():
    real = [c for c in load_claims(EXAMPLE).claims if c.incident_id != "exercise"]
    assert {c.source_id for c in real if c.is_verbatim} == {"coalition"}


def test_parse_claim_keeps_words_certainty_and_polarity_as_given():
    book = parse(
        "  - {id: c1, incident: i, source: a, words: 'No, never.', attribution: direct, act: entry,"
        " polarity: negative, certainty: possible, certainty_cue: perhaps}\n"
    )
    claim = book.claims[0]
    assert (claim.words, claim.polarity, claim.certainty) == ("No, never.", Polarity.NEGATIVE, Certainty.POSSIBLE)


@pytest.mark.parametrize(
    ("tail", "line", "path", "expected"),
    [
        (CLAIM.replace("certainty:", "certain_ly:"), 8, "claims[0].certainty", "one of certain, probable"),
        (CLAIM.replace("words: W", "words: W, polrity: negative"), 8, "claims[0].polrity", "one of about,"),
        (CLAIM.replace("words: W", "words: W, paraphrase: V"), 8, "claims[0].words", "either `words`"),
        (CLAIM.replace("words: W, ", ""), 8, "claims[0].words", "either `words`"),
        (CLAIM.replace("source: a", "source: z"), 8, "claims[0].source", "the id of a source (a, b)"),
        (CLAIM + CLAIM, 9, "claims[1].id", "an id that stands once"),
        (CLAIM.replace("act: entry", "act: incursion"), 8, "claims[0].act", "one of air_strike"),
        (CLAIM.replace("words: W", "words: W, published: Thursday"), 8, "claims[0].published", "EDTF"),
        (CLAIM.replace("words: W", "words: W, credibility: 7"), 8, "claims[0].credibility", "1 to 6"),
        (
            CLAIM.replace("words: W", "words: W, quantities: [{as_worded: x, low: 3, high: 2, unit: cars, of: cars}]"),
            8, "claims[0].quantities[0]", "a low not above the high",
        ),
        (
            CLAIM.replace("words: W", "words: W, quantities: [{as_worded: x, value: 3, of: cars}]"),
            8, "claims[0].quantities[0].unit", "unit, as text",
        ),
        (
            CLAIM.replace("words: W", "words: W, place: {as_worded: x, lat_deg: 91, lon_deg: 3, radius: 5 km}"),
            8, "claims[0].place.lat_deg", "degrees from -90 to 90",
        ),
        (
            CLAIM.replace("words: W", "words: W, place: {as_worded: x, lat_deg: 9, lon_deg: 3, radius: 5}"),
            8, "claims[0].place.radius", "a length with its unit",
        ),
        (
            CLAIM.replace("words: W", "words: W, time: {as_worded: Thursday, edtf: '2017-05-18'}"),
            8, "claims[0].time.basis", "a basis if there is an edtf",
        ),
    ],
)  # fmt: skip
def test_parse_fault_is_refused_with_its_line(tail, line, path, expected):
    with pytest.raises(ClaimError) as caught:
        parse(tail)
    place = caught.value.place
    assert (place.file, place.line, place.path) == ("claims.yaml", line, path)
    assert expected in caught.value.expected


def test_parse_succession_is_allowed_to_the_same_source_only():
    later = CLAIM.replace("c1", "c2").replace("words: W", "words: V, supersedes: c1")
    assert parse(CLAIM + later).claims[1].supersedes == "c1"
    for bad in (later.replace("source: a", "source: b"), later.replace("supersedes: c1", "supersedes: c2")):
        with pytest.raises(ClaimError, match="of the same source"):
            parse(CLAIM + bad)
    with pytest.raises(ClaimError, match="not yet succeeded by 'c2'"):
        parse(CLAIM + later + later.replace("c2", "c3"))


def test_parse_system_source_by_hand_is_refused():
    with pytest.raises(ClaimError, match="not entered by hand"):
        parse(CLAIM, HEAD.replace("kind: media", "kind: system"))


def test_parse_sources_within_each_other_are_refused():
    head = HEAD.replace("kind: state", "kind: state, parent: b").replace("kind: media", "kind: media, parent: a")
    with pytest.raises(ClaimError, match="does not speak within"):
        parse(CLAIM, head)


def test_parse_pair_that_must_not_be_merged_in_one_group_is_refused():
    names = "names:\n  groups: [{id: x, preferred: X, alternates: [Y]}]\n  do_not_merge: [{names: [X, Y], reason: r}]\n"
    with pytest.raises(ClaimError, match="must not be merged"):
        parse(CLAIM, HEAD.replace("incidents:", names + "incidents:"))


def test_claim_as_json_has_no_key_that_was_not_given():
    assert parse(CLAIM).claims[0].as_json() == {
        "claim_id": "c1", "incident_id": "i", "source_id": "a", "words": "W", "is_verbatim": True,
        "attribution": "direct", "act": "entry", "polarity": "positive", "certainty": "certain", "credibility": 6,
    }  # fmt: skip
