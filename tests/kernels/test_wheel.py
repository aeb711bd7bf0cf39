"""A wheel brings compiled kernels: what it holds, that a first call compiles nothing, where its code is not used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tocsin.kernels import kept

ROOT = Path(__file__).parents[2]
TANF = ROOT / "examples" / "at-tanf"
REPLAY = ("-m", "tocsin", "replay", str(TANF / "with-mechanisms.yaml"), str(TANF / "tracks.csv"), "--out")
CALL = """
from tocsin.kernels.forecast.vigil import ask_every_s
from tocsin.kernels.kept import PACKAGED, misfit_here
print(ask_every_s(600.0), len(ask_every_s.stats.cache_hits), PACKAGED.parent)
print(misfit_here())
"""
CALL_FROM_A_NEW_KERNEL = """
import numba
from tocsin.kernels.forecast.vigil import ask_every_s
print(numba.njit(lambda x: 7.0 * ask_every_s(x))(600.0) / ask_every_s(600.0))
print(sum(ask_every_s.stats.cache_misses.values()))
"""


def _environment(home: Path, **more: str) -> dict[str, str]:
    left_out = ("NUMBA", "HATCH", "PYTHONPATH")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    return inherited | {"XDG_CACHE_HOME": str(home), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"} | more


def _build(folder: Path, target: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Build as `pip` does without isolation; what this checkout has compiled need not be compiled again."""
    compiled = {"NUMBA_CACHE_DIR": str(kept.FOLDER.parent)} if kept.FOLDER else {}
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    env = _environment(folder / "home", **compiled, **more)
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def _run(site: Path, home: Path, *arguments: str, **more: str) -> str:
    """Run the unpacked wheel in a fresh process, with this environment's other packages."""
    command = [sys.executable, "-P", *arguments]
    env = _environment(home, PYTHONPATH=str(site), **more)
    return subprocess.run(command, cwd=site, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = _build(folder, "wheel")
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture
def site(wheel: Path, tmp_path: Path) -> Path:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    return tmp_path / "site"


def _compiled_by(home: Path) -> list[str]:
    return [p.name for p in home.rglob("*.nbc")]


def test_first_replay_compiles_nothing_and_finds_what_a_checkout_finds(site: Path, tmp_path: Path):
    """Would catch a kernel that a replay calls and `compile_kernels` does not, and a write among what is installed."""
    before = {p: p.stat().st_mtime_ns for p in site.rglob("*")}
    _run(site, tmp_path / "home", *REPLAY, str(tmp_path / "installed"))
    assert not _compiled_by(tmp_path / "home")
    assert {p: p.stat().st_mtime_ns for p in site.rglob("*")} == before
    subprocess.run([sys.executable, *REPLAY, str(tmp_path / "checkout")], cwd=ROOT, capture_output=True, check=True)
    found, expected = ((tmp_path / name / "events.jsonl").read_text() for name in ("installed", "checkout"))
    assert found == expected and len(found.splitlines()) > 10


def test_wheel_is_tagged_for_what_it_was_made_for(wheel: Path):
    """Would catch code that pip installs on another system, and the builder's folders in it."""
    python = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    assert f"-{python}-{python}" in wheel.name and "-any" not in wheel.name
    with zipfile.ZipFile(wheel) as held:
        for name in held.namelist():
            if "/compiled/" in name:
                assert str(ROOT).encode() not in held.read(name), name
    assert wheel.stat().st_size < 8e6


def test_packaged_code_is_used_without_a_place_to_write(site: Path, tmp_path: Path):
    """Called from Python, and from a kernel that is compiled against it."""
    (tmp_path / "file").write_text("no folder")
    called, why = _run(site, tmp_path / "file", "-c", CALL).splitlines()
    assert called.split()[1] == "1" and called.endswith(str(site / "tocsin" / "kernels")) and not why
    assert _run(site, tmp_path / "file", "-c", CALL_FROM_A_NEW_KERNEL).split() == ["7.0", "0"]


def test_code_for_another_processor_is_not_run(site: Path, tmp_path: Path):
    """It would end the process, or worse."""
    made = site / "tocsin/kernels/compiled" / kept.MADE
    made.write_text(json.dumps(json.loads(made.read_text()) | {"cpu": "z80"}))
    called, why = _run(site, tmp_path / "home", "-c", CALL).splitlines()
    assert called.split()[1] == "0" and "cpu: made for z80" in why
    assert len(_compiled_by(tmp_path / "home")) == 1
    assert _run(site, tmp_path / "home", "-c", CALL).split()[1] == "1"


def test_damaged_code_is_compiled_again(site: Path, tmp_path: Path):
    for path in (site / "tocsin/kernels/compiled").glob("*.nbc"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert [_run(site, tmp_path / "home", "-c", CALL).split()[1] for _ in range(2)] == ["0", "1"]


@pytest.mark.parametrize("key", ["kernels", "python", "numba", "llvmlite", "numpy", "system", "cpu", "cpu_features"])
def test_code_that_was_made_otherwise_is_refused_by_name(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept, "PACKAGED", tmp_path)
    machine = ("x86_64-unknown-linux-gnu", "somelake", "+avx,+avx2,-sse4a")
    here = kept.made_here(machine)
    (tmp_path / kept.MADE).write_text(json.dumps(here))
    assert not kept.misfit(machine)
    (tmp_path / kept.MADE).write_text(json.dumps(here | {key: here[key] + ",+x"}))
    assert kept.misfit(machine).startswith(f"{key}: made for ")


@pytest.mark.parametrize("content", [b"", b"\0" * 50, b"[]", b"{}", b'{"kernels": 1}', b'{"cpu_features": 3}'])
def test_unreadable_description_is_refused(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept, "PACKAGED", tmp_path)
    (tmp_path / kept.MADE).write_bytes(content)
    assert kept.misfit(("a", "b", "c"))


def test_pure_wheel_editable_and_sdist_hold_no_machine_code(tmp_path: Path):
    assert _build(tmp_path, "wheel", HATCH_BUILD_NO_HOOKS="true").returncode == 0
    assert _build(tmp_path / "editable", "wheel:editable").returncode == 0
    assert _build(tmp_path, "sdist").returncode == 0
    pure, editable, sdist = (next(tmp_path.glob(g)) for g in ("*-py3-none-any.whl", "editable/*.whl", "*.tar.gz"))
    for path in (pure, editable):
        assert not [n for n in zipfile.ZipFile(path).namelist() if "/compiled/" in n]
    with tarfile.open(sdist) as held:
        names = held.getnames()
    assert any(n.endswith("/hatch_build.py") for n in names)
    assert not [n for n in names if n.endswith(".nbc")]


def test_build_that_cannot_compile_fails_and_says_what_to_do(tmp_path: Path):
    (tmp_path / "numba.py").write_text("raise ImportError('no numba for this machine')")
    done = _build(tmp_path, "wheel", PYTHONPATH=str(tmp_path))
    assert done.returncode and "no numba for this machine" in done.stderr and "HATCH_BUILD_NO_HOOKS" in done.stderr
    assert not list(tmp_path.glob("*.whl"))
