"""Custody: the agreement's witnesses and quorum, compiled to plain data or refused with the line."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.record.conftest import make_signer

from tocsin.agreement.custody import COSIGNER_KEY_TYPES, LOG_KEY_TYPES, compile_custody, is_vkey
from tocsin.agreement.lint import lint
from tocsin.agreement.load import parse
from tocsin.errors import AgreementErrors
from tocsin.record.c2sp.note import SignatureType, parse_vkey

HEAD = "format: tocsin-agreement/1\nid: example\nparties: [{id: north}, {id: south}]\n"
NORTH = str(make_signer("north.example/w", SignatureType.COSIGNATURE_ED25519, 1).vkey)
SOUTH = str(make_signer("south.example/w", SignatureType.COSIGNATURE_MLDSA44, 2).vkey)
LOG = str(make_signer().vkey)


def told(*witnesses: str, more: str = "") -> str:
    lines = "".join(f"    - {{{one}}}\n" for one in witnesses)
    return f"{HEAD}record:\n  witnesses:\n{lines}{more}"


def test_witnesses_compile_in_their_order() -> None:
    text = told(f"party: north, key: {NORTH}, url: 'https://north.example/w'", f"party: south, key: {SOUTH}")
    custody = compile_custody(parse(text + f"  quorum: 1\n  log_keys: [{LOG}]\n"))
    assert custody is not None
    assert [(w.party, w.key, w.url) for w in custody.witnesses] == [
        ("north", NORTH, "https://north.example/w"),
        ("south", SOUTH, ""),
    ]
    assert (custody.quorum, custody.log_keys) == (1, (LOG,))


def test_a_blank_quorum_asks_for_all_and_no_witness_for_nothing() -> None:
    # Fault: a number of witnesses that nobody agreed.
    custody = compile_custody(parse(told(f"party: north, key: {NORTH}", f"party: south, key: {SOUTH}")))
    assert custody is not None and custody.quorum == 2
    assert compile_custody(parse(HEAD)) is None
    assert compile_custody(parse(HEAD + "record: {witnesses: not_set}\n")) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (told(f"party: east, key: {NORTH}"), "'east'"),
        (told("party: north"), "key silent"),
        (told("party: north, key: not_set"), "key not_set"),
        (told(f"party: north, key: {LOG}"), "log.example"),  # a log's own key is no cosigner's
        (told(f"party: north, key: {NORTH}", f"party: south, key: {NORTH}"), "a second time"),
        (told(f"party: north, key: {NORTH}", f"party: north, key: {SOUTH}"), "a second time"),
        (told(f"party: north, key: {NORTH}, url: 'ftp://north.example'"), "ftp"),
        (told(f"party: north, key: {NORTH}", more="  quorum: 2\n"), "2 of 1 witnesses"),
        (told(f"party: north, key: {NORTH}", more="  quorum: 0\n"), "0 of 1 witnesses"),
        (told(f"party: north, key: {NORTH}", more=f"  log_keys: [{NORTH}]\n"), "north.example"),
    ],
)
def test_what_no_policy_can_be_made_of_is_refused_with_its_line_and_found(text: str, found: str) -> None:
    agreement = parse(text)
    with pytest.raises(AgreementErrors) as caught:
        compile_custody(agreement)
    assert all(error.place.line > 4 for error in caught.value.errors)
    assert found in str(caught.value)
    assert any(f.code == "REC-01" for f in lint(agreement))


def test_every_changed_letter_of_a_vkey_is_refused() -> None:
    # Fault: a typing error in a key, noticed only once its witness is needed.
    assert is_vkey(NORTH, COSIGNER_KEY_TYPES) and is_vkey(LOG, LOG_KEY_TYPES)
    for at, letter in enumerate(NORTH):
        changed = NORTH[:at] + ("A" if letter != "A" else "B") + NORTH[at + 1 :]
        assert not is_vkey(changed, COSIGNER_KEY_TYPES), changed


def test_the_examples_keys_are_what_the_record_reads() -> None:
    # Fault: two readers of one form of key that disagree.
    folder = Path(__file__).parents[2] / "examples"
    for name in ("at-tanf/with-mechanisms.yaml", "us-coast/agreement.yaml"):
        custody = compile_custody(parse((folder / name).read_text(encoding="utf-8"), folder=folder / Path(name).parent))
        assert custody is not None and custody.quorum == 3
        assert [str(parse_vkey(w.key)) for w in custody.witnesses] == [w.key for w in custody.witnesses]
