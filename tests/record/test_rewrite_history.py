"""The script that shows how history is rewritten is itself a test: everybody must notice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_everybody_notices_a_rewritten_history() -> None:
    script = Path(__file__).parents[2] / "scripts/rewrite_history.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("Everybody noticed.\n")
    for convicted in ("record.example/tanf-2017", "coalition.example/witness", "syria.example/witness"):
        assert f"evidence against {convicted}" in done.stderr
    assert "evidence against un.example" not in done.stderr
