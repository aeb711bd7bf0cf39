"""The live example, as a reader would run it: it judges itself, and ends with 0 only if all of it came about."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_live_example_is_acknowledged_from_its_mail_and_climbs_to_its_end(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples/live/run.py", tmp_path / "live"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "acknowledged from the page: 200" in done.stdout
    assert "reports 2595: accepted 2595" in done.stdout
