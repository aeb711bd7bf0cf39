"""Other implementations' vectors: trees, notes, keys, checkpoints, proofs, a tiled log, Ed25519 corner cases, JCS."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests import naive_record as naive

from tocsin.canon import canonical_bytes, parse_json
from tocsin.errors import VerificationError
from tocsin.record.c2sp.checkpoint import parse_checkpoint
from tocsin.record.c2sp.cosign import open_note, verify_signature
from tocsin.record.c2sp.merkle import consistency_proof, leaf_hash, root_of, verify_consistency, verify_inclusion
from tocsin.record.c2sp.note import SignatureType, SignedNote, Vkey, is_sound_ed25519, parse_note, parse_vkey
from tocsin.record.c2sp.proof import parse_proof
from tocsin.record.c2sp.tiles import TileReader
from tocsin.record.keys import format_key, parse_key
from tocsin.record.verifier.audit import audit
from tocsin.record.verifier.source import FolderSource

VECTORS = Path(__file__).parent.parent / "vectors"
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TESSERA = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


def vectors(folder: str) -> list[Any]:
    found = sorted((VECTORS / folder).rglob("*.json"))
    assert found, f"no vectors in {folder}"
    return [pytest.param(path, id=path.relative_to(VECTORS / folder).with_suffix("").as_posix()) for path in found]


def read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_bytes())
    return value


def decoded(value: dict[str, Any], key: str) -> bytes:
    return base64.b64decode(value.get(key) or "")


@pytest.mark.parametrize("path", vectors("merkle/inclusion"))
def test_inclusion(path: Path) -> None:
    v = read(path)
    proof = [base64.b64decode(h) for h in v["proof"] or []]
    case = {"index": v["leafIdx"], "size": v["treeSize"], "leaf": decoded(v, "leafHash"), "root": decoded(v, "root")}
    if v["wantErr"]:
        with pytest.raises(VerificationError):
            verify_inclusion(proof=proof, **case)
    else:
        verify_inclusion(proof=proof, **case)


@pytest.mark.parametrize("path", vectors("merkle/consistency"))
def test_consistency(path: Path) -> None:
    v = read(path)
    case = {
        "old_size": v["size1"],
        "new_size": v["size2"],
        "old_root": decoded(v, "root1"),
        "new_root": decoded(v, "root2"),
        "proof": [base64.b64decode(h) for h in v["proof"] or []],
    }
    if v["wantErr"]:
        with pytest.raises(VerificationError):
            verify_consistency(**case)
    else:
        verify_consistency(**case)


def test_reference_tree_of_certificate_transparency() -> None:
    v = read(VECTORS / "merkle/reference_tree.json")
    entries = [bytes.fromhex(e) for e in v["leaf_inputs_hex"]]
    for size, root in enumerate(v["root_hex_by_size"]):
        assert root_of([leaf_hash(entry) for entry in entries[:size]]).hex() == root


@pytest.mark.parametrize("path", vectors("note"))
def test_note(path: Path) -> None:
    v = read(path)
    note = base64.b64decode(v["note_b64"])
    keys = [parse_vkey(key) for key in v["keys"]]
    if v["expect"] is None:
        with pytest.raises(VerificationError):
            open_note(parse_note(note), keys)
        return
    opened = open_note(parse_note(note), keys)
    assert [key.name for key in opened.verified] == v["expect"]["verified"]
    assert sorted({line.name for line in opened.unknown}) == v["expect"]["unknown"]
    assert bytes(parse_note(note)) == note


@pytest.mark.parametrize("path", vectors("vkey"))
def test_vkey_is_refused(path: Path) -> None:
    with pytest.raises(VerificationError):
        parse_vkey(read(path)["vkey"])


@pytest.mark.parametrize(("whole", "parse"), [(PETER, parse_vkey), (PETERS_KEY, parse_key)])
def test_every_part_and_every_changed_byte_of_a_key_is_refused(whole: str, parse: Any) -> None:
    """As golang/mod tests its keys: every proper substring, and every byte one higher."""
    parse(whole)
    mangled = [whole[i:j] for i in range(len(whole)) for j in range(i + 1, len(whole) + 1) if j - i < len(whole)]
    mangled += [whole[:i] + chr(ord(whole[i]) + 1) + whole[i + 1 :] for i in range(len(whole))]
    for text in mangled:
        with pytest.raises(VerificationError):
            parse(text)


def test_a_vkey_of_low_order_or_in_a_second_spelling_is_refused() -> None:
    """Under such a key one signature fits many texts, or one key has two names."""
    cases = json.loads(gzip.decompress((VECTORS / "ed25519-edge-cases.json.gz").read_bytes()))
    bad = {case["key"] for case in cases if {"low_order_A", "non_canonical_A"} & set(case["flags"] or [])}
    assert len(bad) > 10
    for public in bad:
        for kind in (SignatureType.ED25519, SignatureType.COSIGNATURE_ED25519):
            with pytest.raises(VerificationError, match="low order"):
                parse_vkey(str(Vkey(name="edge", type=kind, public=bytes.fromhex(public))))


def test_our_signature_is_gos_byte_for_byte() -> None:
    signer = parse_key(PETERS_KEY)
    note = base64.b64decode(read(VECTORS / "note/one-verified-one-unknown.json")["note_b64"])
    assert str(signer.sign(parse_note(note).text)) == str(parse_note(note).signatures[0])
    assert (str(signer.vkey), format_key(signer)) == (PETER, PETERS_KEY + "\n")


@pytest.mark.parametrize("path", vectors("checkpoint"))
def test_checkpoint(path: Path) -> None:
    v = read(path)
    if not v["valid"]:
        with pytest.raises(VerificationError):
            parse_checkpoint(v["text"])
        return
    checkpoint = parse_checkpoint(v["text"])
    assert str(checkpoint) == v["text"]


@pytest.mark.parametrize("path", vectors("proof"))
def test_tlog_proof(path: Path) -> None:
    v = read(path)
    if v["valid"]:
        assert bytes(parse_proof(v["text"].encode())) == v["text"].encode()
    else:
        with pytest.raises(VerificationError):
            parse_proof(v["text"].encode())


def test_tiled_log_of_another_implementation_at_every_size() -> None:
    """Tessera's log, 0 to 15 entries: checkpoint, tiles, roots, and every pair's consistency."""
    source = FolderSource(VECTORS / "tiled-log")
    key = parse_vkey(TESSERA)
    roots = []
    for size in range(16):
        note = parse_note((VECTORS / f"tiled-log/checkpoint.{size}").read_bytes())
        open_note(note, [key])
        checkpoint = parse_checkpoint(note.text)
        assert (checkpoint.size, checkpoint.origin) == (size, key.name)
        audited = audit(source.read, size)
        assert audited.root == checkpoint.root
        roots.append(checkpoint.root)
    reader = TileReader(source.read, 15)
    entries = [reader.entry(i) for i in range(15)]
    assert entries[:3] == [b"one", b"two", b"three"]
    for new in range(1, 16):
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, TileReader(source.read, new).subtree_root)
            assert proof == naive.proof(old, entries[:new])
            verify_consistency(old_size=old, new_size=new, old_root=roots[old], new_root=roots[new], proof=proof)


def test_tiled_log_with_any_byte_changed_is_refused() -> None:
    source = FolderSource(VECTORS / "tiled-log")
    root = parse_checkpoint(parse_note(source.read("checkpoint.15") or b"").text).root
    for path in ("tile/0/000.p/15", "tile/entries/000.p/15"):
        good = source.read(path) or b""
        for at in range(len(good)):
            bad = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
            with pytest.raises(VerificationError):
                assert audit(lambda p, bad=bad, path=path: bad if p == path else source.read(p), 15).root == root


def test_ed25519_corner_cases_are_decided_once() -> None:
    """No key of low order, no second spelling of a key; of the rest, what RFC 8032 §5.1.7 verifies without cofactor.

    One edge is let through: R may be of low order. Nobody but the key's holder can make such a signature.
    """
    cases = json.loads(gzip.decompress((VECTORS / "ed25519-edge-cases.json.gz").read_bytes()))
    accepted: dict[int, set[str]] = {}
    for case in cases:
        public, flags = bytes.fromhex(case["key"]), set(case["flags"] or [])
        assert is_sound_ed25519(public) is not bool({"low_order_A", "non_canonical_A"} & flags), case
        key = Vkey(name="edge", type=SignatureType.ED25519, public=public)
        try:
            verify_signature(key, case["msg"], bytes.fromhex(case["sig"]))
        except VerificationError:
            continue
        if is_sound_ed25519(public):
            accepted[case["number"]] = flags
    assert len(accepted) == 15
    assert set().union(*accepted.values()) == {"low_order_R", "low_order_component_A"}


@pytest.mark.parametrize("name", ["arrays", "french", "structures"])
def test_canonical_json(name: str) -> None:
    value = parse_json((VECTORS / f"jcs/input/{name}.json").read_bytes())
    assert canonical_bytes(value) == (VECTORS / f"jcs/output/{name}.json").read_bytes()
    assert canonical_bytes(value) == bytes.fromhex((VECTORS / f"jcs/outhex/{name}.txt").read_text())


def test_a_note_of_sixteen_signatures_is_read() -> None:
    """The specification's least; its most is ours to choose."""
    note = parse_note(base64.b64decode(read(VECTORS / "note/one-verified-one-unknown.json")["note_b64"]))
    many = SignedNote(text=note.text, signatures=note.signatures * 8)
    assert len(parse_note(bytes(many)).signatures) == 16
