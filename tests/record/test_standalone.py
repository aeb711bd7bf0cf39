"""The one-file verifier, run where Tocsin is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tocsin.record.verifier.standalone import standalone_source, write_standalone


def run_alone(script: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a script in an interpreter in which importing tocsin or rfc8785 fails."""
    bare = (
        "import runpy, sys; sys.modules['tocsin'] = sys.modules['rfc8785'] = None; "
        "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-I", "-W", "error", "-c", bare, str(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=script.parent)


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("party") / "verify.py"
    write_standalone(path)
    return path


def test_the_copy_verifies_and_finds_a_changed_byte(verifier: Path, kept: Path) -> None:
    good = run_alone(verifier, kept / "record")
    assert (good.returncode, good.stderr) == (0, "")
    assert "7 entries" in good.stdout
    bundle = kept / "record/tile/entries/000.p/7"
    bundle.write_bytes(bundle.read_bytes().replace(b"message", b"massage", 1))
    bad = run_alone(verifier, kept / "record")
    assert (bad.returncode, bad.stderr[:4]) == (1, "BAD:")


def test_the_copy_names_nothing_of_tocsin() -> None:
    """A left-over import would only show on a machine without Tocsin."""
    code = standalone_source()
    assert "import tocsin" not in code and "from tocsin" not in code
    compile(code, "verify.py", "exec")
