"""A keeper's key files through a rotation, and after a crash at each of its steps."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.record.conftest import AT_US, ORIGIN, make_entries

from tocsin.errors import RecordError
from tocsin.record.keyfiles import end_overlap, open_log, rotate_key, signers_of
from tocsin.record.keys import create_key, load_key
from tocsin.record.log import Log
from tocsin.record.rotation import RotationReason
from tocsin.record.verifier.verify import verify_folder


@pytest.fixture
def keeper(tmp_path: Path) -> Path:
    key = create_key(tmp_path / "keys/log.key", ORIGIN)
    with Log.create(tmp_path, key=key) as log:
        log.append(make_entries(3))
        log.publish()
    return tmp_path


def go_on(folder: Path) -> int:
    """Append and publish with whatever keys sign now; return how many signed."""
    with open_log(folder) as log:
        log.append(make_entries(2, log.size))
        log.publish()
        return len(log.note.signatures)


def test_a_planned_change_overlaps_until_it_is_ended(keeper: Path) -> None:
    old = load_key(keeper / "keys/log.key").vkey
    vkey, checkpoint = rotate_key(keeper, reason=RotationReason.PLANNED, at_us=AT_US)
    assert (checkpoint.size, verify_folder(keeper).keys) == (4, (old, vkey))
    assert [signer.vkey for signer in signers_of(keeper)] == [vkey, old]
    assert go_on(keeper) == 2
    with pytest.raises(RecordError, match="overlap is not over"):
        rotate_key(keeper, reason=RotationReason.PLANNED, at_us=AT_US)
    retired = end_overlap(keeper)
    assert load_key(retired).vkey == old
    with pytest.raises(RecordError, match="expected the overlap"):
        end_overlap(keeper)
    assert go_on(keeper) == 1
    assert verify_folder(keeper, vkey=old).vkey == vkey


def test_a_stolen_key_signs_nothing_after_the_handover(keeper: Path) -> None:
    old = load_key(keeper / "keys/log.key").vkey
    vkey, _ = rotate_key(keeper, reason=RotationReason.STOLEN, at_us=AT_US)
    assert [signer.vkey for signer in signers_of(keeper)] == [vkey]
    assert go_on(keeper) == 1
    assert verify_folder(keeper).keys == (old, vkey)


class _Killed(BaseException):
    """The process is gone: nothing catches it."""


@pytest.mark.parametrize("reason", RotationReason)
@pytest.mark.parametrize("step", range(10))
def test_killed_at_any_rename_of_a_rotation_the_log_goes_on(
    keeper: Path, monkeypatch: pytest.MonkeyPatch, reason: RotationReason, step: int
) -> None:
    # Fault: a crash between the log's handover and the key files' renaming, and a keeper locked out of its own log.
    real: Callable[..., None] = os.replace
    left = step

    def replace(*arguments: object) -> None:
        nonlocal left
        if left == 0:
            raise _Killed
        left -= 1
        real(*arguments)

    monkeypatch.setattr(os, "replace", replace)
    try:
        rotate_key(keeper, reason=reason, at_us=AT_US)
    except _Killed:
        pass
    else:
        assert step >= 8, "a rotation that made fewer renames than it must"
    monkeypatch.setattr(os, "replace", real)
    go_on(keeper)
    found = verify_folder(keeper)
    assert found.vkey == signers_of(keeper)[0].vkey
    assert len(list((keeper / "keys").iterdir())) <= 2
    go_on(keeper)
