"""Figures of `do.py crash`, `do.py sim` and `do.py load`: each has its line in docs/reliability.md, and the machine."""

from __future__ import annotations

import os
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"


def write_page(what: str, figures: dict[str, Any]) -> None:
    """Put the figures in their place in docs/reliability.md."""
    text = PAGE.read_text()
    begin, end = "<!-- figures -->\n", "<!-- /figures -->"
    before, _, rest = text.partition(begin)
    held, _, after = rest.partition(end)
    lines = {line.partition(":")[0]: line for line in held.splitlines() if line}
    told = {key: value for key, value in figures.items() if key != "machine"}
    said = ", ".join(f"{key.replace('_', ' ')} {_shown(value)}" for key, value in told.items())
    machine = ", ".join(f"{key} {value}" for key, value in figures["machine"].items())
    lines[f"- **{what}**"] = f"- **{what}**: {said} ({machine}, {datetime.now(UTC):%Y-%m-%d})"
    PAGE.write_text(before + begin + "\n".join(sorted(lines.values())) + "\n" + end + after)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key} {count}" for key, count in value.items())
    return str(len(value)) if isinstance(value, list) else str(value)


def environment() -> dict[str, str]:
    """Return what a figure depends on: the machine, for the report."""
    model = next((line for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")), ":unknown")
    cpu = model.partition(":")[2].strip()
    return {"cpus": str(os.cpu_count()), "cpu": cpu, "python": sys.version.split()[0], "sqlite": sqlite3.sqlite_version}


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
