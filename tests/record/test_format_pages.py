"""The examples in docs/format are what the code reads; a page that drifts from the code fails here."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from tests.record.conftest import AT_US, make_signer

from tocsin.record.c2sp.checkpoint import parse_checkpoint
from tocsin.record.c2sp.cosign import open_note
from tocsin.record.c2sp.note import parse_note, parse_vkey
from tocsin.record.c2sp.policy import parse_policy
from tocsin.record.envelope import parse_envelope
from tocsin.record.keys import parse_key
from tocsin.record.leaf import OPEN_KINDS, EntryKind
from tocsin.record.payload import parse_opening
from tocsin.record.verifier.evidence import check_evidence, parse_evidence
from tocsin.record.verifier.keychain import key_entry
from tocsin.record.verifier.memory import load_memory

PAGES = Path(__file__).parents[2] / "docs/format"


def example(page: str, name: str) -> str:
    found = re.search(rf"```{name}\n(.*?)```", (PAGES / page).read_text(), re.DOTALL)
    assert found, f"no example {name} in {page}"
    return found[1]


def test_leaf_page() -> None:
    sealed = parse_envelope(example("leaf.md", "envelope").strip().encode())
    sealed.check_opens(bytes(range(32)), b'{"zone":"tanf-55km"}')
    opened = parse_envelope(example("leaf.md", "open").strip().encode())
    assert key_entry(3, opened.open).new == make_signer(number=2).vkey
    text = (PAGES / "leaf.md").read_text()
    assert [kind for kind in EntryKind if f"`{kind}`" not in text] == []
    assert all(f"`{kind}`" in text.partition("Instead of `commitment`")[2] for kind in OPEN_KINDS)


def test_payload_page() -> None:
    opening = parse_opening(example("payload.md", "opening").strip().replace("→", "\t").encode(), "page")
    assert opening.index == 1
    assert opening.check().kind == "event"


def test_record_and_witness_pages() -> None:
    note = parse_note(example("record.md", "checkpoint").encode())
    policy = parse_policy(example("witness.md", "policy"))
    opened = open_note(note, [*policy.logs, *(witness.vkey for witness in policy.witnesses)])
    assert policy.is_met(opened.verified)
    assert opened.unknown == ()
    assert parse_checkpoint(note.text).size == 3
    assert list(opened.verified.values()) == [None, AT_US // 10**6 + 5]


def test_keys_page() -> None:
    assert parse_key(example("keys.md", "keyfile")).vkey == parse_vkey(example("keys.md", "vkey").strip())


def test_memory_page(tmp_path: Path) -> None:
    (tmp_path / "state").write_text(example("memory.md", "memory"))
    assert load_memory(tmp_path / "state")["log.example/tanf"].checkpoint.size == 3


def test_evidence_page() -> None:
    text = example("evidence.md", "evidence")
    old, new = check_evidence(parse_evidence(text.encode()))
    assert (old.size, new.size) == (3, 4)


def test_evidence_pack_page() -> None:
    disclosure = json.loads(example("evidence-pack.md", "disclosure"))
    assert sorted(disclosure) == ["entries", "files", "grant", "reason", "to"]
    assert all(len(digest) == hashlib.sha256().digest_size * 2 for digest in disclosure["files"].values())


@pytest.mark.parametrize(
    "page", ["record", "leaf", "payload", "keys", "witness", "memory", "evidence", "evidence-pack"]
)
def test_a_page_is_a_screen_or_two_and_its_links_lead_somewhere(page: str) -> None:
    text = (PAGES / f"{page}.md").read_text()
    assert len(text.splitlines()) <= 90
    for name in re.findall(r"\(?\b([a-z-]+\.md)\b", text):
        assert (PAGES / name).exists(), name
    for path in re.findall(r"`((?:record|scripts)/[a-z_/]+\.py)`", text):
        root = PAGES.parents[1]
        assert (root / path).exists() or (root / "src/tocsin" / path).exists(), path
