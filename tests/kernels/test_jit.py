"""Compiled kernels on disk: safe for processes that start together, useful to those that start later."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tocsin.kernels import kept

ROOT = Path(__file__).parents[2]
CALL = """
from tocsin.kernels.numbers.predicates import orient2d
print(orient2d(0.0, 0.0, 1.0, 1.0, 0.0, 1.0), len(orient2d.stats.cache_hits))
"""


CALL_FROM_A_NEW_KERNEL = """
import numba
from tocsin.kernels.numbers.predicates import orient2d
print(orient2d(0.0, 0.0, 1.0, 1.0, 0.0, 1.0), len(orient2d.stats.cache_hits))
print(numba.njit(lambda x: 7 * orient2d(0.0, 0.0, 1.0, 1.0, 0.0, x))(1.0))
"""


def _start(home: Path, code: str = CALL, **more: str) -> subprocess.Popen[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA")} | {"XDG_CACHE_HOME": str(home), **more}
    return subprocess.Popen([sys.executable, "-c", code], env=env, cwd=ROOT, text=True, stdout=subprocess.PIPE)


def _kept(home: Path) -> list[str]:
    return sorted(p.name for p in home.rglob("*.nbc"))


def test_processes_that_start_together_leave_a_cache_that_the_next_one_uses(tmp_path: Path):
    for process in [_start(tmp_path) for _ in range(2)]:
        assert process.communicate()[0].split()[0] == "1"
    assert any("orient2d-" in name for name in _kept(tmp_path))
    assert _start(tmp_path).communicate()[0].split() == ["1", "1"]
    assert kept.made_digest() in {p.name for p in (tmp_path / "tocsin" / "numba").iterdir()}


def test_a_new_kernel_is_compiled_against_one_that_was_kept(tmp_path: Path):
    """The kept one's bitcode is not read before; would catch one that is not found when it is needed."""
    _start(tmp_path).communicate()
    assert _start(tmp_path, CALL_FROM_A_NEW_KERNEL).communicate()[0].split() == ["1", "1", "7"]


@pytest.mark.parametrize("part", ["all", "the last tenth"])
def test_damaged_cache_is_compiled_again(tmp_path: Path, part: str):
    """A power cut may leave files of the right length and no content, or the last pages missing: never run those."""
    _start(tmp_path).communicate()
    for path in tmp_path.rglob("*.nbc"):
        size = path.stat().st_size
        whole = path.read_bytes() if part != "all" else b""
        path.write_bytes(whole[: size * 9 // 10].ljust(size, b"\0"))
    assert _start(tmp_path).communicate()[0].split() == ["1", "0"]
    assert _start(tmp_path).communicate()[0].split() == ["1", "1"]  # and it is sound again


def test_without_a_place_to_write_kernels_still_work(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    assert _start(tmp_path / "file").communicate()[0].split() == ["1", "0"]


def test_the_users_own_folder_is_used(tmp_path: Path):
    assert _start(tmp_path / "not here", NUMBA_CACHE_DIR=str(tmp_path / "here")).communicate()[0].split()[0] == "1"
    assert _kept(tmp_path / "here") and not (tmp_path / "not here").exists()


def test_only_the_newest_folders_stay(tmp_path: Path):
    """Would catch a folder for every version ever installed, and the deletion of what is not ours."""
    base = tmp_path / "tocsin" / "numba"
    for day in range(12):
        (base / f"{day:016x}").mkdir(parents=True)
        os.utime(base / f"{day:016x}", (day * 86_400, day * 86_400))
    (base / "something else").mkdir()
    _start(tmp_path).communicate()
    left = {p.name for p in base.iterdir()}
    assert left == {f"{day:016x}" for day in range(5, 12)} | {kept.made_digest(), "something else"}


@pytest.mark.skipif(kept.FOLDER is None, reason="this machine keeps no compiled kernels")
def test_folder_is_the_users_alone():
    assert kept.FOLDER is not None and kept.FOLDER.stat().st_mode & 0o077 == 0
