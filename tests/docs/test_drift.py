"""Documents against code: what a page lists is what the code has."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import tocsin
from tocsin.kernels import tables
from tocsin.station.core.health import Health
from tocsin.watch.event import MEASURES, EventKind
from tocsin.watch.found import KINDS

ROOT = Path(__file__).parents[2]


def test_events_page_lists_every_kind() -> None:
    page = (ROOT / "docs/guide/events.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == {kind.value for kind in EventKind}


def test_station_page_lists_everything_that_can_befall_it() -> None:
    page = (ROOT / "docs/guide/station.md").read_text()
    table = page.partition("## When something is wrong")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {kind.value for kind in Health}


def test_kernel_codes_stand_in_the_order_of_the_kinds() -> None:
    assert [getattr(tables, kind.name) for kind in KINDS] == list(range(len(KINDS)))
    assert set(tables.MEASURED) == set(range(len(KINDS)))
    assert {name for names in tables.MEASURED.values() for name in names} <= set(MEASURES)


def test_changelog_names_the_version_of_the_package() -> None:
    assert f"## [{tocsin.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == tocsin.__version__


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if not re.match(r"\w+:", target) and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken
