"""The witness against other implementations' exchanges and every refusal that the specification names."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from tests.record.conftest import AT_US, make_signer

from tocsin.record.c2sp.checkpoint import parse_checkpoint
from tocsin.record.c2sp.cosign import open_note
from tocsin.record.c2sp.note import SignatureType, SignedNote, Vkey, parse_note, parse_signature, parse_vkey
from tocsin.record.witness.keeper import WitnessKeeper
from tocsin.record.witness.protocol import SIZE_TYPE

VECTORS = Path(__file__).parents[2] / "vectors"
WITNESS = make_signer("example.com/witness", SignatureType.COSIGNATURE_ED25519, 9)

CHANGED_SINCE = {
    1: 400,  # its broken signature is also no canonical base64, which is refused before it is verified
    2: 404,  # an unknown origin was 403 when the script was written and is 404 in the present text
}
"""Requests of the litewitness script that the specification answers otherwise today."""


def vectors(folder: str) -> list[Any]:
    found = sorted((VECTORS / folder).glob("*.json"))
    assert found
    return [pytest.param(json.loads(path.read_bytes()), id=path.stem) for path in found]


@pytest.mark.parametrize("v", vectors("witness"))
def test_one_request_after_another(v: dict[str, Any], tmp_path: Path) -> None:
    logs = {origin: [parse_vkey(key) for key in keys] for origin, keys in v["log"].items()}
    keeper = WitnessKeeper(tmp_path, [WITNESS], logs)
    if v["first"] is not None:
        keeper.add_checkpoint(v["first"].encode(), AT_US)
    before = keeper.size("monkeys") if "monkeys" in logs else 0
    answer = keeper.add_checkpoint(v["request"].encode(), AT_US)
    assert answer.status == v["status"], answer.body
    if answer.status == 200:
        note = v["request"].partition("\n\n")[2].encode()
        check_cosigned(note, answer.body, keeper.vkeys[0])
        assert keeper.size("monkeys") == parse_checkpoint(parse_note(note).text).size
    elif "monkeys" in logs:
        assert keeper.size("monkeys") == before
    if answer.status == 409:
        assert (answer.body, answer.content_type) == (b"%d\n" % before, SIZE_TYPE)


@pytest.mark.parametrize("v", vectors("witness-transcript"))
def test_an_exchange_with_another_witness_replayed(v: dict[str, Any], tmp_path: Path) -> None:
    if "vkey" in v:
        origin, key = v["origin"], parse_vkey(v["vkey"])
    else:  # a sigsum log's origin and key name are made of its key
        public = bytes.fromhex(v["sigsum_log_key_hex"])
        origin = f"sigsum.org/v1/tree/{hashlib.sha256(public).hexdigest()}"
        key = Vkey(name=origin, type=SignatureType.ED25519, public=public)
    keeper = WitnessKeeper(tmp_path, [WITNESS], {origin: [key]})
    for number, exchange in enumerate(v["requests"]):
        answer = keeper.add_checkpoint(exchange["request"].encode(), AT_US)
        expected = exchange["status"]
        if "vkey" not in v:
            expected = CHANGED_SINCE.get(number, expected)
        assert answer.status == expected, (number, answer.body)
        if answer.status in {200, 409}:
            assert exchange["asserts"].split('"')[1].replace("\\n", "\n") in answer.body.decode()
    assert keeper.size(origin) == v["size_at_the_end"]


def check_cosigned(note_bytes: bytes, body: bytes, key: Vkey) -> None:
    note = parse_note(note_bytes)
    lines = tuple(parse_signature(line) for line in body.decode().splitlines())
    opened = open_note(SignedNote(text=note.text, signatures=lines), [key])
    assert opened.verified == {key: AT_US // 1_000_000}
