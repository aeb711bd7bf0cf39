"""Keys change, and at no moment can anybody mistake whose log it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.record import conftest
from tests.record.conftest import AT_US, ORIGIN, make_entries, make_signer, write_log

from tocsin.errors import RecordError, SplitViewError, VerificationError
from tocsin.record import log as log_module
from tocsin.record.c2sp.checkpoint import Checkpoint
from tocsin.record.c2sp.note import SignedNote
from tocsin.record.c2sp.tiles import TileReader
from tocsin.record.log import Log
from tocsin.record.rotation import ROTATION, Rotation, RotationReason
from tocsin.record.verifier.keychain import KeyEntry, follow_keys
from tocsin.record.verifier.source import FolderSource
from tocsin.record.verifier.verify import verify_folder

OLD, NEW, THIRD = make_signer(), make_signer(number=2), make_signer(number=3)


def add(folder: Path, key: conftest.Signer, *also: conftest.Signer) -> None:
    with Log.open(folder, key, also=also) as log:
        log.append(make_entries(2, log.size))
        log.publish()


def rotated(folder: Path, reason: RotationReason = RotationReason.PLANNED) -> None:
    with write_log(folder, 5) as log:
        log.rotate(NEW, reason=reason, at_us=AT_US)


def test_rotation_with_overlap_verifies_with_the_old_key_and_the_new(tmp_path: Path) -> None:
    """The new key stands in an entry under the old one; who knows only the first follows to the last."""
    rotated(tmp_path)
    add(tmp_path, NEW, OLD)  # the overlap: both sign
    for known in (OLD.vkey, NEW.vkey):
        assert verify_folder(tmp_path, vkey=known).keys == (OLD.vkey, NEW.vkey)
    add(tmp_path, NEW)
    with Log.open(tmp_path, NEW) as log:
        log.rotate(THIRD, reason=RotationReason.PLANNED, at_us=AT_US)
    add(tmp_path, THIRD)
    for known in (OLD.vkey, NEW.vkey, THIRD.vkey):
        found = verify_folder(tmp_path, vkey=known)
        assert found.keys == (OLD.vkey, NEW.vkey, THIRD.vkey)
    assert found.kinds["key"] == 2


def test_a_memory_follows_the_new_key(tmp_path: Path) -> None:
    with write_log(tmp_path, 5):
        before = verify_folder(tmp_path).remembered
    with Log.open(tmp_path, OLD) as log:
        log.rotate(NEW, reason=RotationReason.PLANNED, at_us=AT_US)
    add(tmp_path, NEW)
    verify_folder(tmp_path, remembered=before)


def test_the_stolen_key_signs_one_more_checkpoint(tmp_path: Path) -> None:
    """After the handover, what the old key signs alone is a fork to a memory, and bad to whoever knows the new key."""
    write_log(tmp_path / "log", 5).close()
    shutil.copytree(tmp_path / "log", tmp_path / "thief")
    with Log.open(tmp_path / "log", OLD) as log:
        log.rotate(NEW, reason=RotationReason.STOLEN, at_us=AT_US)
        log.append(make_entries(1, log.size))
        log.publish()
        assert [line.is_by(NEW.vkey) for line in log.note.signatures] == [True]
    known = verify_folder(tmp_path / "log").remembered
    add(tmp_path / "thief", OLD)
    with pytest.raises(SplitViewError, match="was replaced"):
        verify_folder(tmp_path / "thief", remembered=known)
    with pytest.raises(VerificationError):
        verify_folder(tmp_path / "thief", vkey=NEW.vkey)


@pytest.mark.parametrize("what", ["no handover", "handover by the old key", "handover by the new key", "old log.vkey"])
def test_a_handover_that_both_keys_did_not_sign_is_none(tmp_path: Path, what: str) -> None:
    """Whoever holds one of the keys, the old or a new one of his own, must not be able to take the log over."""
    rotated(tmp_path)
    add(tmp_path, NEW)
    path = tmp_path / "record/handover/5"
    note = log_module.parse_note(path.read_bytes())
    by = {"handover by the old key": OLD, "handover by the new key": NEW}
    if what == "no handover":
        path.unlink()
    elif what in by:
        path.write_bytes(bytes(SignedNote(text=note.text, signatures=(by[what].sign(note.text),))))
    else:
        (tmp_path / "record/log.vkey").write_text(f"{OLD.vkey}\n")
    with pytest.raises(VerificationError):
        verify_folder(tmp_path)


def test_a_handover_with_a_line_more_is_refused(tmp_path: Path) -> None:
    """Nothing would cover that line's bytes."""
    rotated(tmp_path)
    add(tmp_path, NEW)
    path = tmp_path / "record/handover/5"
    note = log_module.parse_note(path.read_bytes())
    path.write_bytes(path.read_bytes() + f"{make_signer('x.example').sign(note.text)}\n".encode())
    with pytest.raises(VerificationError, match="other signature lines"):
        verify_folder(tmp_path)


def test_keys_that_do_not_follow_one_another_are_refused(tmp_path: Path) -> None:
    rotated(tmp_path)
    reader = TileReader(FolderSource(tmp_path / "record").read, 6)
    note = log_module.parse_note((tmp_path / "record/checkpoint").read_bytes())
    first = KeyEntry(index=5, old=OLD.vkey, new=NEW.vkey, reason="planned")
    gap = KeyEntry(index=5, old=THIRD.vkey, new=OLD.vkey, reason="planned")
    follow_keys([first], last=NEW.vkey, reader=reader, read=FolderSource(tmp_path / "record").read, newest=note)
    with pytest.raises(VerificationError, match="that did not sign"):
        follow_keys([first, gap], last=OLD.vkey, reader=reader, read=lambda _: None, newest=note)


def test_every_changed_byte_of_a_handover_is_found(tmp_path: Path) -> None:
    rotated(tmp_path)
    add(tmp_path, NEW)
    path = tmp_path / "record/handover/5"
    good = path.read_bytes()
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(VerificationError):
            verify_folder(tmp_path)


def test_a_key_entry_that_no_rotation_made_is_refused(tmp_path: Path) -> None:
    """It would make the record unverifiable for ever: nobody could sign its handover."""
    payload = {"old": str(OLD.vkey), "new": str(NEW.vkey), "reason": "planned"}
    stray = conftest.Entry(kind=conftest.EntryKind.KEY, at_us=AT_US, audience=frozenset("*"), payload=payload)
    with write_log(tmp_path, 5) as log:
        with pytest.raises(RecordError, match="rotating"):
            log.append([*make_entries(1), stray])
        assert log.size == 5


def test_a_handover_of_another_tree_is_refused(tmp_path: Path) -> None:
    rotated(tmp_path)
    add(tmp_path, NEW)
    text = str(Checkpoint(origin=ORIGIN, size=6, root=bytes(32)))
    forged = SignedNote(text=text, signatures=(OLD.sign(text), NEW.sign(text)))
    (tmp_path / "record/handover/5").write_bytes(bytes(forged))
    with pytest.raises(VerificationError, match="not of this tree"):
        verify_folder(tmp_path)


@pytest.mark.parametrize("step", ["append_sealed", "publish", "finish"])
def test_rotation_killed_between_its_steps_is_finished_at_the_next_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    log = write_log(tmp_path, 5)
    with monkeypatch.context() as patch:
        target = Rotation if step == "finish" else Log
        original = getattr(target, step)
        calls = []

        def die(self: object, *arguments: object) -> object:
            calls.append(step)
            if step == "publish" and len(calls) == 1:
                return original(self, *arguments)  # the one before the key entry
            raise KeyboardInterrupt

        patch.setattr(target, step, die)
        with pytest.raises(KeyboardInterrupt):
            log.rotate(NEW, reason=RotationReason.PLANNED, at_us=AT_US)
    log.close()
    assert verify_folder(tmp_path / "record").size == 5 or step == "finish"
    if step == "publish":
        with pytest.raises(RecordError, match="with both keys"):
            Log.open(tmp_path, OLD)
    with Log.open(tmp_path, OLD if step == "append_sealed" else NEW, also=[OLD] if step == "publish" else []) as log:
        log.publish()
    assert not (tmp_path / ROTATION).exists()
    assert verify_folder(tmp_path).keys == ((OLD.vkey,) if step == "append_sealed" else (OLD.vkey, NEW.vkey))
