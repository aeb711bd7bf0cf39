"""A witness that looks at a served record for itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.record.conftest import AT_US, ORIGIN, make_entries, make_signer, write_log

from tocsin.record.c2sp.note import SignatureType
from tocsin.record.log import Log
from tocsin.record.verifier.source import FolderSource
from tocsin.record.witness.follower import Sight, look
from tocsin.record.witness.keeper import WitnessKeeper

COSIGNER = make_signer("un.example/w", SignatureType.COSIGNATURE_ED25519, 5)


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[WitnessKeeper]:
    witness = WitnessKeeper(tmp_path / "w", [COSIGNER], {ORIGIN: [make_signer().vkey]})
    yield witness
    witness.close()


def test_it_cosigns_what_grows_and_once(kept: Path, keeper: WitnessKeeper) -> None:
    source = FolderSource(kept / "record")
    assert (look(source, keeper, AT_US).sight, keeper.size(ORIGIN)) == (Sight.COSIGNED, 7)
    assert look(source, keeper, AT_US).sight is Sight.SAME
    with Log.open(kept, make_signer()) as log:
        log.append(make_entries(300, 7))
        log.publish()
    seen = look(source, keeper, AT_US)
    assert (seen.sight, seen.size, keeper.size(ORIGIN)) == (Sight.COSIGNED, 307, 307)


def test_an_old_copy_is_behind_and_a_second_history_contradicts(
    kept: Path, keeper: WitnessKeeper, tmp_path: Path
) -> None:
    """What it was sent and what the public is shown are compared: a split view is found by the first look."""
    write_log(tmp_path / "longer", 12).close()
    assert look(FolderSource(tmp_path / "longer/record"), keeper, AT_US).sight is Sight.COSIGNED
    assert look(FolderSource(kept / "record"), keeper, AT_US).sight is Sight.BEHIND
    for name, size in (("same-size", 12), ("larger", 20)):
        with Log.create(tmp_path / name, key=make_signer()) as log:
            log.append(make_entries(size, 100))
            log.publish()
        seen = look(FolderSource(tmp_path / name / "record"), keeper, AT_US)
        assert (seen.sight, seen.size) == (Sight.CONTRADICTS, size)
    refused = list(keeper.folder.glob("*/refused/*"))
    assert sorted(path.suffix for path in refused) == [".checkpoint", ".checkpoint", ".evidence"]
    assert keeper.size(ORIGIN) == 12


def test_what_cannot_be_read_or_is_nobodys_it_says_so(kept: Path, keeper: WitnessKeeper, tmp_path: Path) -> None:
    assert look(FolderSource(tmp_path / "nowhere"), keeper, AT_US).sight is Sight.UNREACHABLE
    stranger = Log.create(tmp_path / "stranger", key=make_signer("other.example"))
    stranger.close()
    assert look(FolderSource(tmp_path / "stranger/record"), keeper, AT_US).sight is Sight.INVALID
    look(FolderSource(kept / "record"), keeper, AT_US)
    with Log.open(kept, make_signer()) as log:
        log.append(make_entries(3, 7))
        log.publish()
    shutil.rmtree(kept / "record/tile")
    assert look(FolderSource(kept / "record"), keeper, AT_US).sight is Sight.INVALID
    (kept / "record/checkpoint").write_text("nothing")
    assert look(FolderSource(kept / "record"), keeper, AT_US).sight is Sight.INVALID
    assert keeper.size(ORIGIN) == 7
