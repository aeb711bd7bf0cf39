"""The README's commands, run as a reader would type them."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXPECTED = {"lint": 1, "replay": 0, "verify": 0}
"""Exit codes: the arrangement as it was fails its lint, which is what the README shows it for."""


def test_commands_of_the_readme_end_as_it_says(tmp_path: Path) -> None:
    block = re.search(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block
    commands = re.findall(r"^\$ tocsin (.*)$", block[1], re.MULTILINE)
    assert [command.split()[0] for command in commands] == list(EXPECTED)
    for command in commands:
        words = [re.sub(r"^out/", f"{tmp_path}/out/", word) for word in shlex.split(command)]
        done = subprocess.run(
            [sys.executable, "-m", "tocsin", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == EXPECTED[words[0]], done.stderr
