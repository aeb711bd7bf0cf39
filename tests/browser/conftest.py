"""A browser for the tests of pages, and the reports they open. Skipped where there is none, unless CI requires one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.serve.story import crowded, spoilt, story

from tocsin.serve.report import write_report

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        if os.environ.get("TOCSIN_REQUIRE_PEERS"):
            pytest.fail("no Chromium here, and TOCSIN_REQUIRE_PEERS is set")
        pytest.skip("no Chromium on this machine: `apt-get install chromium` to run the tests of pages")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    made = {
        "story": story(),
        "crowded": crowded(),
        "spoilt": spoilt(),
        "bare": story(events=(), cases=(), comparisons=()),
    }
    for name, report in made.items():
        write_report(report, folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in made}
