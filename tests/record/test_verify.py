"""The audit: a good record passes, and nothing in it can change unseen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.record.conftest import make_signer, write_log

from tocsin.errors import VerificationError
from tocsin.record.c2sp.tiles import TileReader, tile_path
from tocsin.record.growth import grow
from tocsin.record.payload import verify_payloads
from tocsin.record.verifier.command import BAD, GOOD, USAGE, verify_command
from tocsin.record.verifier.source import FolderSource
from tocsin.record.verifier.verify import verify_folder


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_verify_a_good_record_says_what_it_covers(kept: Path) -> None:
    found = verify_folder(kept)
    assert (found.origin, found.size) == ("log.example/tanf", 7)
    assert found.kinds == {"message": 4, "event": 3}
    assert found.file_count == len(files_of(kept / "record"))
    assert found.uncovered == ()
    assert len(found.payload_indices or ()) == 7


def test_verify_the_record_alone_without_payloads(kept: Path, tmp_path: Path) -> None:
    shutil.copytree(kept / "record", tmp_path / "handed over")
    assert verify_folder(tmp_path / "handed over").payload_indices is None


def changed_unseen(path: Path, check: Callable[[], object]) -> list[int]:
    """Return where a byte of a file can change without the check noticing; each byte gets one bit flipped."""
    good, unseen = path.read_bytes(), []
    with path.open("r+b", buffering=0) as file:
        for at, byte in enumerate(good):
            os.pwrite(file.fileno(), bytes([byte ^ (0x80 if at % 2 else 0x01)]), at)
            try:
                check()
                unseen.append(at)
            except VerificationError:
                pass
            os.pwrite(file.fileno(), good[at : at + 1], at)
    check()
    return unseen


def test_t1_every_changed_byte_is_found(kept: Path, tmp_path: Path) -> None:
    """T1: whoever can write the files and has no key changes one byte, anywhere, public or private."""
    record = tmp_path / "alone"
    shutil.move(kept / "record", record)
    for path in files_of(record):
        assert changed_unseen(path, lambda: verify_folder(record)) == [], path
    payload, read = kept / "payload", FolderSource(record).read
    for path in files_of(payload):
        assert changed_unseen(path, lambda: verify_payloads(read, 7, payload)) == [], path


def test_every_missing_cut_or_longer_file_is_found(kept: Path) -> None:
    needed = [f for f in files_of(kept / "record") if f.name != "3"]  # an earlier tree's files may go
    for path in needed:
        good = path.read_bytes()
        for bad in (None, b"", good[:-1], good + b"\n", good + good):
            path.unlink()
            if bad is not None:
                path.write_bytes(bad)
            with pytest.raises(VerificationError):
                verify_folder(kept)
            path.write_bytes(good)


@pytest.mark.parametrize(
    "stray", ["note.txt", "tile/0/001", "tile/00/000.p/1", "tile/entries/000.p/8", "checkpoint.new"]
)
def test_a_stray_file_is_named(kept: Path, stray: str) -> None:
    (kept / "record" / stray).parent.mkdir(parents=True, exist_ok=True)
    (kept / "record" / stray).write_bytes(b"\x00\x01x")
    with pytest.raises(VerificationError, match=stray):
        verify_folder(kept)


def test_a_link_in_the_record_is_refused(kept: Path) -> None:
    path = kept / "record" / tile_path("entries", 0, 7)
    shutil.move(path, kept / "elsewhere")
    path.symlink_to(kept / "elsewhere")
    with pytest.raises(VerificationError, match="no plain file"):
        verify_folder(kept)


def test_rebuilt_tree_under_the_old_signature_is_refused(kept: Path, tmp_path: Path) -> None:
    """T1: an entry removed, swapped or inserted and every tile recomputed; the key is still missing."""
    for sizes in ((6,), (7,), (8,), (3, 7)):
        other = tmp_path / f"other{sizes}"
        write_log(other, *sizes).close()  # other salts, so other leaves
        shutil.copy(kept / "record" / "checkpoint", other / "record" / "checkpoint")
        with pytest.raises(VerificationError):
            verify_folder(other / "record")


@pytest.mark.parametrize("change", ["removed", "swapped", "inserted", "doubled"])
def test_entries_rearranged_with_every_tile_recomputed(kept: Path, tmp_path: Path, change: str) -> None:
    """T1 again, with the very entries: the tree is sound in itself and is not the one that was signed."""
    reader = TileReader(FolderSource(kept / "record").read, 7)
    entries = [reader.entry(index) for index in range(7)]
    changed = {
        "removed": entries[:3] + entries[4:],
        "swapped": [*entries[:2], entries[3], entries[2], *entries[4:]],
        "inserted": [*entries[:3], entries[0].replace(b"message", b"claimed"), *entries[3:]],
        "doubled": [*entries, entries[6]],
    }[change]
    for path, data in grow({}.get, 0, changed).items():
        (tmp_path / "forged" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "forged" / path).write_bytes(data)
    for name in ("checkpoint", "log.vkey"):
        shutil.copy(kept / "record" / name, tmp_path / "forged" / name)
    with pytest.raises(VerificationError):
        verify_folder(tmp_path / "forged")


def test_changed_bytes_of_a_larger_record_are_found(tmp_path: Path) -> None:
    """Full tiles and the levels above them: some bytes of every file."""
    write_log(tmp_path / "log", 600).close()
    for path in files_of(tmp_path / "log/record"):
        good = path.read_bytes()
        for at in {0, 1, len(good) // 3, len(good) // 2, len(good) - 2, len(good) - 1}:
            path.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
            with pytest.raises(VerificationError):
                verify_folder(tmp_path / "log/record")
        path.write_bytes(good)


def test_a_wholly_new_record_fails_against_the_key_of_the_agreement(kept: Path) -> None:
    """T1: whoever replaces log.vkey too is found by everybody who knows the key from elsewhere."""
    other = make_signer(number=2).vkey
    with pytest.raises(VerificationError, match="not the one expected"):
        verify_folder(kept, vkey=other)


def test_verify_a_log_that_fills_tiles(tmp_path: Path) -> None:
    """An error at a tile's edge would show at 255, 256, 257 and where level 1 begins."""
    log = write_log(tmp_path / "log", 255, 256, 257, 511, 513, 1_025)
    log.close()
    assert verify_folder(tmp_path / "log").size == 1_025
    assert not list((tmp_path / "log/record/tile/0").glob("000.p"))  # the full tile replaced it


def test_verify_command_exit_codes(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_command(str(kept)) == GOOD
    assert "GOOD" in capsys.readouterr().out
    (kept / "record/tile/0/000.p/7").write_bytes(b"\x00" * 224)
    assert verify_command(str(kept)) == BAD
    assert "tile/0/000.p/7" in capsys.readouterr().err
    assert verify_command(str(kept / "nowhere")) == USAGE
    assert verify_command(str(kept), vkey="no key") == USAGE
