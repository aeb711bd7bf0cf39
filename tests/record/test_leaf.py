"""Envelopes: one spelling each, nothing cut, nothing that can be guessed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.record.conftest import AT_US, make_entries, write_log

from tocsin.canon import canonical_bytes
from tocsin.errors import RecordError, VerificationError
from tocsin.record.cover import Cover
from tocsin.record.envelope import commitment_of, parse_envelope
from tocsin.record.leaf import Entry, EntryKind, Sealed, new_salt, seal
from tocsin.record.verifier.verify import verify_folder

SALT = bytes(range(32))
PARTIES = st.frozensets(st.text(min_size=1).filter(lambda p: p != "*"), min_size=1, max_size=4)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def entry(**changes: object) -> Entry:
    given_: dict[str, object] = {"kind": EntryKind.EVENT, "at_us": AT_US, "audience": frozenset({"un"}), "payload": 1}
    return Entry(**(given_ | changes))  # type: ignore[arg-type]


def has_surrogate(value: object) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in json.dumps(value, ensure_ascii=False))


@given(JSON, PARTIES)
def test_a_sealed_entry_opens_and_has_its_canonical_bytes(payload: object, audience: frozenset[str]) -> None:
    if has_surrogate(payload) or has_surrogate(sorted(audience)):
        return
    sealed = seal(entry(payload=payload, audience=audience), SALT)
    envelope = parse_envelope(sealed.envelope)
    envelope.check_opens(SALT, sealed.payload)
    assert sealed.envelope == canonical_bytes(json.loads(sealed.envelope))
    assert sealed.payload == canonical_bytes(payload)
    assert all(envelope.is_for(party) for party in audience)


def test_an_envelope_is_the_documented_bytes() -> None:
    """The example of docs/format/leaf.md; another implementation must arrive at the same."""
    sealed = seal(entry(audience=frozenset({"un", "coalition"}), payload={"zone": "tanf-55km"}), SALT)
    commitment = hashlib.sha256(b"tocsin/leaf/v1\n" + SALT + b'{"zone":"tanf-55km"}').hexdigest()
    assert commitment == "1da5662eef049092ffa6748784ce35bd105a33a8f4d27f43f2bd99f8f3e5bfbb"
    before, after = (
        '{"at":"2017-05-18T08:00:00.000000Z","audience":["coalition","un"],"commitment":"',
        '","kind":"event","v":1}',
    )
    assert sealed.envelope.decode() == before + commitment + after


@pytest.mark.parametrize(
    "text",
    [
        '{"at":"2017-05-18T08:00:00.000000Z","audience":["un"],"commitment":"C","kind":"event", "v":1}',
        '{"audience":["un"],"at":"2017-05-18T08:00:00.000000Z","commitment":"C","kind":"event","v":1}',
        '{"at":"2017-05-18T08:00:00Z","audience":["un"],"commitment":"C","kind":"event","v":1}',
        '{"at":"2017-05-18T08:00:00.000000Z","audience":[],"commitment":"C","kind":"event","v":1}',
        '{"at":"2017-05-18T08:00:00.000000Z","audience":["un","coalition"],"commitment":"C","kind":"event","v":1}',
        '{"at":"2017-05-18T08:00:00.000000Z","audience":["*","un"],"commitment":"C","kind":"event","v":1}',
        '{"at":"2017-05-18T08:00:00.000000Z","audience":["un"],"commitment":"c","kind":"event","v":1}',
        '{"at":"2017-05-18T08:00:00.000000Z","audience":["un"],"commitment":"C","kind":"Event","v":1}',
        '{"at":"2017-05-18T08:00:00.000000Z","audience":["un"],"commitment":"C","kind":"event","v":2}',
        '{"at":"2017-05-18T08:00:00.000000Z","audience":["un"],"commitment":"C","kind":"event","v":1,"x":1}',
        '{"at":"2017-05-18T08:00:00.000000Z","audience":["un"],"commitment":"C","kind":"event","kind":"event","v":1}',
        '{"at":"2017-05-18T08:00:00.000000Z","audience":["*"],"kind":"key","open":1.5,"v":1}',
        "[" * 100_000,
        "one",
        "",
    ],
)
def test_bytes_that_are_no_envelope(text: str) -> None:
    with pytest.raises(VerificationError):
        parse_envelope(text.replace("C", "0" * 64).encode())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"audience": frozenset()}, "audience"),
        ({"audience": frozenset({"*", "un"})}, "audience"),
        ({"kind": EntryKind.KEY}, "open to everybody"),
        ({"kind": EntryKind.KEY, "audience": frozenset("*"), "payload": {"x": 0.5}}, "0.5"),
        ({"payload": float("nan")}, "nan"),
        ({"payload": {1, 2}}, "payload of an entry of kind event"),
        ({"payload": "\ud800"}, "payload of an entry of kind event"),
        ({"audience": frozenset(f"{i:0>40}" for i in range(2_000))}, "at most 65,535"),
    ],
)
def test_what_cannot_be_recorded_is_refused_with_a_reason(changes: dict[str, object], said: str) -> None:
    with pytest.raises(RecordError, match=said):
        seal(entry(**changes), SALT)


def test_salts_differ_and_hide_equal_payloads() -> None:
    """Positions and names have little entropy: two equal payloads must not show that they are equal."""
    sealed = {seal(entry(), new_salt()).envelope for _ in range(50)}
    assert len(sealed) == 50
    with pytest.raises(VerificationError, match="salt of 0 bytes"):
        commitment_of(b"", b"1")


def test_a_sealed_entry_prints_no_secret() -> None:
    shown = repr(Sealed(envelope=b"{}", salt=b"s" * 32, payload=b"secret"))
    assert "secret" not in shown and "sss" not in shown


def test_under_a_cover_a_quiet_step_looks_like_a_busy_one(tmp_path: Path) -> None:
    cover = Cover(step_us=60_000_000, multiple=4, kind=EntryKind.EVENT, audience=frozenset({"coalition", "syria"}))
    with write_log(tmp_path, 1) as log:
        shown = []
        for count in (0, 1, 3, 4):
            real = [e for e in make_entries(2 * count) if e.kind is EntryKind.EVENT]
            indices = log.append(cover.apply(real, at_us=AT_US))
            log.publish()
            reader = log.reader()
            found = [parse_envelope(reader.entry(i)) for i in indices]
            shown.append([(e.kind, e.audience, e.at) for e in found])
        assert shown[0] == shown[1] == shown[2] == shown[3]
        assert log.opening(1).payload == b'{"padding":true}'
    assert verify_folder(tmp_path).size == 17
