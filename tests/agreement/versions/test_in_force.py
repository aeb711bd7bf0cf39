"""Versions: who signed which text, and which version is in force when: one, or none, never two."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.common import NOON_US, line

from tocsin.agreement.load import parse
from tocsin.agreement.versions.in_force import (
    InForce,
    signing_of,
    version_of_the_day,
    versions_in_force,
    watchlist_in_force,
)
from tocsin.agreement.versions.signatures import (
    FORMAT,
    Statement,
    What,
    check_version,
    parse_signed,
    sign,
    statement_of,
    verify,
)
from tocsin.errors import AgreementError, VerificationError
from tocsin.units import parse_instant_us
from tocsin.watch.engine import Engine
from tocsin.watch.event import EventKind
from tocsin.watch.replay import replay

SEEDS = {"north": bytes([1]) * 32, "south": bytes([2]) * 32, "watch": bytes([3]) * 32}
HOUR_US = 3_600_000_000


def version(number=1, begin="2026-03-01T00:00:00Z", end=None, radius="10 km", **changed):
    effective = ", ".join(f'{key}: "{at}"' for key, at in (("from", begin), ("to", end)) if at)
    text = f"""
format: tocsin-agreement/1
id: {changed.get("id", "line")}
version: {number}
effective: {{{effective}}}
parties:
  - {{id: north, consent: {{state: signed}}}}
  - {{id: south, consent: {{state: signed}}}}
  - {{id: watch, consent: {{state: accepted}}}}
zones:
  - {{id: ring, kind: stand_off, geometry: {{circle: {{centre: {{lat_deg: 33.5, lon_deg: 38.6}}, radius: {radius}}}}}}}
"""
    return parse(text)


def said(agreement, party="north", what=What.SIGNATURE, at="2026-02-01T00:00:00Z", **changed):
    statement = statement_of(agreement, party=party, what=what, at_us=parse_instant_us(at))
    return sign(replace(statement, **changed), SEEDS[party])


NOTHING = Statement(agreement_id="", version=1, digest="", party="", what=What.SIGNATURE, at_us=0)
KEYS = {party: sign(NOTHING, seed).key for party, seed in SEEDS.items()}


# --- signatures -------------------------------------------------------------------------------------------------------


def test_a_signature_is_written_read_and_verified():
    signed = said(version())
    again = parse_signed(bytes(signed), file="north.json")
    assert again == signed
    verify(again, keys=KEYS)
    check_version(again, version())


def test_the_signed_bytes_are_fixed():
    """Written down: a change of these bytes would void every signature that parties keep."""
    statement = Statement(
        agreement_id="a", version=2, digest="00" * 32, party="p", what=What.OBJECTION, at_us=0, note="é"
    )
    assert statement.signed_bytes == (
        b'tocsin-signature/1\n{"agreement":"a","at":"1970-01-01T00:00:00.000000Z","digest":"' + b"00" * 32
        + '","format":"tocsin-signature/1","note":"é","party":"p","version":2,"what":"objection"}'.encode()
    )  # fmt: skip
    assert base64.b64encode(sign(statement, bytes(32)).key) == b"O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("agreement", "other"),
        ("version", 2),
        ("digest", "11" * 32),
        ("party", "south"),
        ("what", "objection"),
        ("at", "2026-02-01T00:00:00.000001Z"),
        ("note", "but"),
        ("signature", base64.b64encode(bytes(64)).decode()),
        ("key", base64.b64encode(KEYS["south"]).decode()),
    ],
)
def test_a_statement_changed_in_any_field_does_not_verify(key, value):
    told = said(version()).as_json() | {key: value}
    changed = parse_signed(json.dumps(told).encode(), file="x.json")
    with pytest.raises(VerificationError):
        verify(changed, keys=KEYS)


def test_a_party_without_a_key_proves_nothing():
    with pytest.raises(VerificationError, match="north has no key here"):
        verify(said(version()), keys={})


@pytest.mark.parametrize(
    ("changed", "what"),
    [(version(number=2), "version"), (version(radius="10001 m"), "digest"), (version(id="x"), "agreement")],
)
def test_a_signature_of_another_text_is_said_to_be_one(changed, what):
    with pytest.raises(VerificationError, match=f"another {what}"):
        check_version(said(version()), changed)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"{", "no strict JSON"),
        (b"[]", "another format"),
        (b'{"format": "tocsin-signature/2"}', "another format"),
        (b" " * 70_000, "70,000 bytes"),
        ({"extra": "1"}, "unknown key 'extra'"),
        ({"note": None}, "None"),
        ({"version": True}, "True"),
        ({"version": -1}, "-1"),
        ({"what": "agreed"}, "agreed"),
        ({"at": "2026-02-01T00:00:00Z"}, "in its one spelling"),
        ({"at": "yesterday"}, "yesterday"),
        ({"digest": "AB" * 32}, "digest"),
        ({"digest": "ab"}, "digest"),
        ({"key": "AAAA"}, "32 bytes"),
        ({"signature": "!"}, "signature|base64|Only"),
        ({"note": "x" * 5_001}, "5,001 characters"),
    ],
)
def test_a_file_that_is_no_signature_is_refused(text, found):
    raw = text if isinstance(text, bytes) else json.dumps(said(version()).as_json() | text).encode()
    with pytest.raises(AgreementError, match=found):
        parse_signed(raw, file="x.json")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_as_a_signature(raw):
    with pytest.raises(AgreementError):
        parse_signed(raw, file="x.json")


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.integers(0, 2**40), st.sampled_from(What))
def test_what_is_signed_is_what_is_read(note, at_us, what):
    signed = sign(replace(said(version()).statement, note=note, at_us=at_us, what=what), SEEDS["north"])
    again = parse_signed(bytes(signed), file="x")
    verify(again, keys=KEYS)
    assert again == signed


def test_only_a_party_and_only_a_numbered_version_is_signed():
    with pytest.raises(AgreementError, match="party 'east'"):
        statement_of(version(), party="east", what=What.SIGNATURE, at_us=0)
    bare = parse(f"format: tocsin-agreement/1\nid: x\nversion: not_set\nparties: [{{id: north}}]\n# {FORMAT}\n")
    with pytest.raises(AgreementError, match="not_set"):
        statement_of(bare, party="north", what=What.SIGNATURE, at_us=0)


# --- signing ----------------------------------------------------------------------------------------------------------


def test_the_newest_word_of_a_party_counts():
    agreement = version()
    words = [
        said(agreement, at="2026-02-01T00:00:00Z"),
        said(agreement, "south", at="2026-02-02T00:00:00Z"),
        said(agreement, "south", What.WITHDRAWAL, at="2026-02-03T00:00:00Z"),
        said(agreement, "watch", What.OBJECTION, at="2026-02-03T00:00:00Z"),
    ]
    found = signing_of(agreement, words)
    assert found.missing == ("south",) and found.complete_us is None
    assert found.against == {"south": What.WITHDRAWAL, "watch": What.OBJECTION}
    before = signing_of(agreement, reversed(words), until_us=words[1].statement.at_us)
    assert not before.missing and before.complete_us == words[1].statement.at_us


def test_of_one_instant_the_word_against_counts():
    agreement = version()
    words = [said(agreement, what=w) for w in (What.SIGNATURE, What.OBJECTION)]
    assert (
        signing_of(agreement, words).against == signing_of(agreement, words[::-1]).against == {"north": What.OBJECTION}
    )


def test_a_signature_of_another_text_counts_for_nothing():
    assert signing_of(version(), [said(version(radius="11 km"))]).signed == {}


# --- in force ---------------------------------------------------------------------------------------------------------


def times(found):
    return [(v.agreement.version, v.from_us, v.to_us) for v in found]


def us(text):
    return parse_instant_us(text)


def test_a_later_version_ends_the_earlier_one_at_its_first_instant():
    one, two = (
        version(1, end="2026-12-01T00:00:00Z"),
        version(2, begin="2026-06-01T00:00:00Z", end="2026-09-01T00:00:00Z"),
    )
    found = versions_in_force([two, one])
    march, june, september = us("2026-03-01T00:00:00Z"), us("2026-06-01T00:00:00Z"), us("2026-09-01T00:00:00Z")
    assert times(found) == [(1, march, june), (2, june, september)]
    assert version_of_the_day([one, two], june - 1) is one and version_of_the_day([one, two], june) is two
    assert version_of_the_day([one, two], september) is None, "the first does not come back"
    assert version_of_the_day([one, two], march - 1) is None


def test_a_version_overtaken_before_it_began_is_never_in_force():
    late = version(2, begin="2026-08-01T00:00:00Z")
    found = versions_in_force([version(1), late, version(3, begin="2026-05-01T00:00:00Z")])
    assert [v.agreement.version for v in found] == [1, 3]


def test_a_version_that_follows_must_say_from_when():
    with pytest.raises(AgreementError, match=r"effective.from"):
        versions_in_force([version(1), version(2, begin=None)])
    assert times(versions_in_force([version(1, begin=None)])) == [(1, None, None)]


def test_versions_that_cannot_be_told_apart_are_refused():
    with pytest.raises(AgreementError, match="a second time"):
        versions_in_force([version(1), version(1, radius="11 km")])
    with pytest.raises(AgreementError, match="versions of line"):
        versions_in_force([version(1), version(2, id="other")])
    assert len(versions_in_force([version(1), version(1)])) == 1


def test_a_version_waits_for_its_last_signature():
    one, two = version(1), version(2, begin="2026-06-01T00:00:00Z")
    words = [said(v, p) for v in (one, two) for p in ("north", "south")]
    assert times(versions_in_force([one, two], words))[1][1] == us("2026-06-01T00:00:00Z")
    late = [*words[:3], said(two, "south", at="2026-07-01T00:00:00Z")]
    assert times(versions_in_force([one, two], late)) == [
        (1, us("2026-03-01T00:00:00Z"), us("2026-07-01T00:00:00Z")),
        (2, us("2026-07-01T00:00:00Z"), None),
    ]
    assert times(versions_in_force([one, two], words[:3])) == [(1, us("2026-03-01T00:00:00Z"), None)]
    assert not versions_in_force([one, two], [])


def test_an_objection_before_the_start_holds_it_and_one_after_does_not():
    one = version(1)
    words = [said(one, p) for p in ("north", "south")]
    before = [*words, said(one, "south", What.OBJECTION, at="2026-02-15T00:00:00Z")]
    assert not versions_in_force([one], before)
    again = [*before, said(one, "south", at="2026-04-01T00:00:00Z")]
    assert times(versions_in_force([one], again)) == [(1, us("2026-04-01T00:00:00Z"), None)]
    after = [*words, said(one, "south", What.WITHDRAWAL, at="2026-05-01T00:00:00Z")]
    assert times(versions_in_force([one], after)) == times(versions_in_force([one], words))


instants = st.integers(0, 40).map(lambda day: f"2026-{1 + day // 28:02}-{1 + day % 28:02}T00:00:00Z")


@given(st.lists(st.tuples(instants, st.one_of(st.none(), instants)), min_size=1, max_size=4), st.integers(-1, 1))
def test_at_every_instant_one_version_or_none_and_it_is_the_highest_that_has_begun(told, step):
    agreements = [version(n, begin, end) for n, (begin, end) in enumerate(told, start=1)]
    found = versions_in_force(agreements)
    edges = {us(begin) for begin, _ in told} | {us(end) for _, end in told if end}
    for at_us in sorted(edge + step for edge in edges):
        here = [v for v in found if v.holds(at_us)]
        begun = [a for a in agreements if a.effective.from_us <= at_us]
        highest = max(begun, key=lambda a: a.version, default=None)
        runs = highest is not None and (highest.effective.to_us is None or at_us < highest.effective.to_us)
        assert [v.agreement for v in here] == ([highest] if runs else [])


# --- the watch --------------------------------------------------------------------------------------------------------


def test_a_replay_uses_the_version_of_the_day_and_the_change_is_the_zones_doing():
    """A track stands still while the ring grows over it: nobody entered, and the event must say so."""
    change = NOON_US + HOUR_US
    small = InForce(version(1, radius="10 km"), NOON_US - HOUR_US, change)
    grown = InForce(version(2, begin="2026-03-01T13:00:00Z", radius="20 km"), change, None)
    assert grown.from_us == us("2026-03-01T13:00:00Z")
    inside, between = (33.5, 38.65), (33.5, 38.76)
    reports = {
        "inside": line(*[inside] * 5, step_s=1_800.0),
        "between": line(*[between] * 5, step_s=1_800.0),
    }
    found = {
        name: [(e.kind, e.agreement_version, e.at_us) for v in (small, grown)
               for e in replay(Engine(watchlist_in_force(v)), batch)[0]]
        for name, batch in reports.items()
    }  # fmt: skip
    assert found["inside"] == [
        (EventKind.FIRST_SEEN_INSIDE, 1, NOON_US),
        (EventKind.ZONE_ENDED, 1, change),
        (EventKind.ZONE_BEGAN, 2, change),
    ]
    assert found["between"] == [(EventKind.ZONE_BEGAN, 2, change)]
