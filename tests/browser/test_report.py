"""The report in a browser, offline: nothing fetched, nothing refused, nothing over anything else, and it answers."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from typing import Any

import pytest

WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation",
  (e) => window.refused.push(e.violatedDirective + " " + e.blockedURI));
"""
VISIBLE = """(selector) => Array.from(document.querySelectorAll(selector))
  .filter((e) => e.checkVisibility({visibilityProperty: true}) && e.getBoundingClientRect().width > 0)
  .map((e) => { const r = e.getBoundingClientRect(); return [e.textContent, r.left, r.top, r.right, r.bottom]; })"""


class Sheet:
    """An opened report: its page, and everything that it said or asked for."""

    def __init__(self, browser: Any, path: Any, **context: Any) -> None:
        self.has_script = context.get("java_script_enabled", True)
        options = {"viewport": {"width": 1280, "height": 900}, "offline": True}
        self.context = browser.new_context(**(options | context))
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.add_init_script(WATCH)
        self.page.goto(path.as_uri())
        self.settle()

    def settle(self) -> None:
        """Let the page draw: what it decides, it draws in the next frame."""
        if self.has_script:
            self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def boxes(self, selector: str) -> list[Any]:
        return self.page.evaluate(VISIBLE, selector)

    def __enter__(self) -> Sheet:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def overlaps(boxes: list[Any], slack: float = 1.0) -> list[tuple[str, str]]:
    return [
        (a[0], b[0])
        for a, b in combinations(boxes, 2)
        if a[1] < b[3] - slack and b[1] < a[3] - slack and a[2] < b[4] - slack and b[2] < a[4] - slack
    ]


@pytest.mark.parametrize("name", ["story", "crowded", "spoilt", "bare"])
def test_report_opens_offline_without_a_word_of_complaint(browser, reports, name):
    with Sheet(browser, reports[name]) as sheet:
        assert sheet.said == []
        assert sheet.asked in ([reports[name].as_uri()], [reports[name].as_uri(), "data:,"])
        assert sheet.page.evaluate("window.refused") == []
        assert sheet.page.evaluate("window.pwned") is None


@pytest.mark.parametrize("name", ["story", "crowded", "spoilt"])
def test_report_never_scrolls_sideways(browser, reports, name):
    with Sheet(browser, reports[name]) as sheet:
        sheet.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        for width in (320, 390, 768, 1280, 1920):
            sheet.page.set_viewport_size({"width": width, "height": 900})
            sheet.settle()
            assert sheet.page.evaluate("document.documentElement.scrollWidth") <= width


def test_report_in_the_dark_has_light_ink(browser, reports):
    with Sheet(browser, reports["story"], color_scheme="dark") as sheet:
        paper, ink = sheet.page.evaluate(
            "(({backgroundColor, color}) => [backgroundColor, color])(getComputedStyle(document.body))"
        )
        assert sum(map(int, re.findall(r"\d+", paper))) < 150
        assert sum(map(int, re.findall(r"\d+", ink))) > 600


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["story", "crowded"])
def test_map_names_do_not_overlap_at_any_zoom(browser, reports, name, width):
    with Sheet(browser, reports[name], viewport={"width": width, "height": 900}) as sheet:
        assert len(sheet.boxes("svg.map .lbl text")) >= 3
        for _ in range(6):
            assert overlaps(sheet.boxes("svg.map .lbl text")) == []
            assert (
                overlaps(sheet.boxes("svg.map .ticks text, svg.map .scale text, svg.map .north text, .zoom button"))
                == []
            )
            sheet.page.click("[data-zoom=in]")
            sheet.settle()


def test_map_names_do_not_overlap_without_script(browser, reports):
    with Sheet(browser, reports["crowded"], java_script_enabled=False) as sheet:
        texts = sheet.page.locator("svg.map .lbl:not(.off) text").all()
        boxes = [
            (t.text_content(), b["x"], b["y"], b["x"] + b["width"], b["y"] + b["height"])
            for t in texts
            if (b := t.bounding_box())
        ]
        assert len(boxes) == 25
        assert overlaps(boxes) == []


def test_map_zoom_changes_scale_and_ticks_and_fits_again(browser, reports):
    with Sheet(browser, reports["story"]) as sheet:

        def seen():
            return sheet.page.text_content("svg.map .scale text"), [b[0] for b in sheet.boxes("svg.map .ticks text")]

        first = seen()
        for _ in range(5):
            sheet.page.click("[data-zoom=in]")
        sheet.settle()
        assert seen() != first
        assert "m" in seen()[0]
        sheet.page.click("[data-zoom=fit]")
        sheet.settle()
        assert seen() == first


def test_map_scale_on_screen_is_true(browser, reports):
    with Sheet(browser, reports["story"]) as sheet:
        kilometres = float(sheet.page.text_content("svg.map .scale text").removesuffix(" km"))
        bar = sheet.boxes("svg.map .scale path")[0]
        ticks = [b for b in sheet.boxes("svg.map .ticks .lat")]
        degrees = float(ticks[1][0].split("°")[0]) - float(ticks[0][0].split("°")[0])
        apart = (ticks[0][2] - ticks[1][2]) / degrees  # pixels in a degree of latitude: 111.36 km at 57° N
        assert (bar[3] - bar[1]) / kilometres * 111.36 == pytest.approx(apart, rel=0.02)


def test_map_drag_moves_and_keyboard_zooms(browser, reports):
    with Sheet(browser, reports["story"]) as sheet:
        sheet.page.locator("svg.map").scroll_into_view_if_needed()
        box = sheet.page.locator("svg.map").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        before = sheet.page.get_attribute("svg.map .world", "transform")
        sheet.page.mouse.move(x, y)
        sheet.page.mouse.down()
        sheet.page.mouse.move(x + 60, y + 20, steps=4)
        sheet.page.mouse.up()
        sheet.settle()
        moved = sheet.page.get_attribute("svg.map .world", "transform")
        assert moved != before
        sheet.page.focus("svg.map")
        sheet.page.keyboard.press("+")
        sheet.settle()
        assert sheet.page.get_attribute("svg.map .world", "transform") != moved


def test_event_row_shows_its_mark_and_track_on_the_map(browser, reports):
    with Sheet(browser, reports["story"]) as sheet:
        sheet.page.click("#e1 button.go")
        sheet.settle()
        assert sheet.page.locator(".mark.on").count() == 1
        assert sheet.page.get_attribute(".mark.on", "data-e") == "1"
        assert sheet.page.get_attribute(".t.on", "data-t") == sheet.page.get_attribute("#e1", "data-t")
        assert "entry" in sheet.page.inner_text(".picked")
        sheet.page.keyboard.press("Escape")
        assert sheet.page.locator(".on").count() == 0


def test_map_mark_lights_its_row_and_case(browser, reports):
    with Sheet(browser, reports["story"]) as sheet:
        sheet.page.locator('.mark[data-e="1"]').click(force=True)
        sheet.settle()
        assert sheet.page.locator("#e1.on").count() == 1
        assert sheet.page.locator("table.cases tr.on").count() == 1


def test_events_filter_and_count(browser, reports):
    with Sheet(browser, reports["story"]) as sheet:
        shown = "#event-table tbody tr:not([hidden])"
        assert sheet.page.locator(shown).count() == 7
        sheet.page.select_option("select[name=kind]", "exit")
        assert sheet.page.locator(shown).count() == 2
        assert sheet.page.inner_text("form.filter output") == "2 of 7 events"
        sheet.page.select_option("select[name=zone]", "outer zone")
        assert sheet.page.locator(shown).count() == 1
        sheet.page.select_option("select[name=kind]", "")
        sheet.page.select_option("select[name=zone]", "")
        sheet.page.fill("input[name=text]", "219000003")
        assert [sheet.page.get_attribute(shown, "id")] == ["e6"]


def test_events_sort_by_a_column_and_back(browser, reports):
    with Sheet(browser, reports["story"]) as sheet:

        def column(n):
            return [row.locator("td").nth(n).inner_text() for row in sheet.page.locator("#event-table tbody tr").all()]

        times = column(0)
        sheet.page.click("#event-table th:nth-child(4) button")
        assert column(3) == sorted(column(3))
        assert sheet.page.get_attribute("#event-table th:nth-child(4)", "aria-sort") == "ascending"
        sheet.page.click("#event-table th:nth-child(1) button")
        assert column(0) == times
        sheet.page.click("#event-table th:nth-child(1) button")
        assert column(0) == times[::-1]


def test_link_to_a_case_opens_it(browser, reports):
    with Sheet(browser, reports["story"]) as sheet:
        sheet.page.evaluate("document.querySelector('#case0').open = false")
        sheet.page.click("#events a[href='#case0']")
        sheet.settle()
        assert sheet.page.evaluate("document.querySelector('#case0').open")
        assert sheet.page.locator("#case0 svg.timeline").is_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_timeline_words_do_not_overlap(browser, reports, width):
    with Sheet(browser, reports["story"], viewport={"width": width, "height": 900}) as sheet:
        assert len(sheet.boxes(".timeline .way")) > 10
        for group in (
            ".timeline .name, .timeline .way, .timeline .sub",
            ".timeline .seen-word",
            ".timeline .tick text",
        ):
            assert overlaps(sheet.boxes(group)) == []


def test_print_opens_everything_and_hides_the_controls(browser, reports):
    with Sheet(browser, reports["story"], viewport={"width": 794, "height": 1100}) as sheet:
        sheet.page.emulate_media(media="print")
        sheet.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert sheet.page.evaluate("Array.from(document.querySelectorAll('details')).every((d) => d.open)")
        assert not sheet.page.locator("nav").is_visible()
        assert sheet.page.evaluate("document.documentElement.scrollWidth") <= 794
        assert sheet.page.pdf(format="A4").startswith(b"%PDF")


def test_report_can_be_read_by_name_and_in_order(browser, reports):
    with Sheet(browser, reports["story"]) as sheet:
        levels = sheet.page.evaluate(
            "Array.from(document.querySelectorAll('h1,h2,h3,h4')).map((h) => Number(h.tagName[1]))"
        )
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(b - a <= 1 for a, b in pairwise(levels))
        unnamed = sheet.page.evaluate("""
          Array.from(document.querySelectorAll('svg[role=img], button, input, select, table'))
          .filter((e) => !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.textContent.trim()
            || e.closest('label') || e.querySelector('caption'))).map((e) => e.outerHTML.slice(0, 80))""")
        assert unnamed == []
        headless = sheet.page.evaluate(
            "Array.from(document.querySelectorAll('table')).filter((t) => !t.querySelector('th[scope]')).length"
        )
        assert headless == 0
