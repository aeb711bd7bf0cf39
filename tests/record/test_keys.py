"""Key files: the owner's alone, never overwritten, never repeated in a message."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.record.faulty_disk import FaultyDisk, PowerCutError

from tocsin.errors import RecordError
from tocsin.record.c2sp.note import SignatureType, encode_base64
from tocsin.record.keys import create_key, format_key, load_key


@pytest.mark.parametrize("kind", list(SignatureType))
def test_a_key_comes_back_as_it_was_made(tmp_path: Path, kind: SignatureType) -> None:
    made = create_key(tmp_path / "keys/a.key", "a.example/log", kind)
    assert load_key(tmp_path / "keys/a.key") == made
    assert os.stat(tmp_path / "keys/a.key").st_mode & 0o777 == 0o600
    assert os.stat(tmp_path / "keys").st_mode & 0o077 == 0


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    create_key(tmp_path / "a.key", "a.example/log")
    before = (tmp_path / "a.key").read_bytes()
    with pytest.raises(RecordError, match="never overwritten"):
        create_key(tmp_path / "a.key", "a.example/log")
    assert (tmp_path / "a.key").read_bytes() == before


@pytest.mark.parametrize("change", range(1, 7))
def test_a_key_that_a_crash_cut_off_is_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: int
) -> None:
    """Found by killing at random (seed 66): an empty file in a key's place, and a station that never began again."""
    disk = FaultyDisk(fail_at=change)
    with disk.installed(monkeypatch), pytest.raises(PowerCutError):
        create_key(tmp_path / "a.key", "a.example/log")
    if not (tmp_path / "a.key").exists():
        create_key(tmp_path / "a.key", "a.example/log")
    assert load_key(tmp_path / "a.key").name == "a.example/log"


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    create_key(tmp_path / "a.key", "a.example/log")
    (tmp_path / "a.key").chmod(0o640)
    with pytest.raises(RecordError, match="0640, expected 0600"):
        load_key(tmp_path / "a.key")


def test_nothing_prints_the_secret(tmp_path: Path) -> None:
    signer = create_key(tmp_path / "a.key", "a.example/log")
    secret = encode_base64(signer.seed)[2:20]
    assert secret not in repr(signer) + str(signer) + repr(signer.vkey)
    (tmp_path / "b.key").write_text("x" + format_key(signer))
    (tmp_path / "b.key").chmod(0o600)
    with pytest.raises(RecordError) as caught:
        load_key(tmp_path / "b.key")
    shown = "".join(str(e) for e in (caught.value, caught.value.__cause__, caught.value.__context__) if e)
    assert encode_base64(signer.seed)[4:] not in shown and signer.seed.hex() not in shown


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak", "no\u00a0break"])
def test_a_name_that_no_note_can_carry_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordError, match="key name"):
        create_key(tmp_path / "a.key", name)
    assert not (tmp_path / "a.key").exists()


def test_no_key_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no key could be read"):
        load_key(tmp_path / "a.key")
