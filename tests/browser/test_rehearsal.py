"""The page of a rehearsal in a browser, offline: nothing fetched, nothing refused, never wider than its window."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.browser.test_report import Sheet
from tests.rehearsal.test_run import drafted, sailing

from tocsin.rehearsal.run import Draft, rehearse
from tocsin.serve.rehearsed import write_rehearsal_page


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsal")
    write_rehearsal_page(
        rehearse(Draft(agreement=drafted(folder), tracks=[sailing(folder)])), folder / "rehearsal.html"
    )
    return folder / "rehearsal.html"


def test_page_opens_offline_fits_every_width_and_colours_its_tracks(browser, page):
    with Sheet(browser, page) as sheet:
        sheet.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        for width in (320, 768, 1280):
            sheet.page.set_viewport_size({"width": width, "height": 900})
            sheet.settle()
            assert sheet.page.evaluate("document.documentElement.scrollWidth") <= width
        assert sheet.page.locator("g.t.unanswered").count() == 4
        assert sheet.page.locator("g.t.acknowledged").count() == 2
        assert len(sheet.boxes("#ready li.no")) >= 1
        assert sheet.said == [] and sheet.page.evaluate("window.refused") == []
