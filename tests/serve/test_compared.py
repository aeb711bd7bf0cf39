"""The page of two versions: each zone drawn as what happened to it, every change in words, nothing fetched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tocsin.agreement.load import parse
from tocsin.agreement.versions.change import set_value
from tocsin.agreement.versions.diff import diff
from tocsin.serve.compared import render_comparison

FOLDER = Path(__file__).parents[2] / "examples" / "at-tanf"
TEXT = (FOLDER / "with-mechanisms.yaml").read_bytes()
NEW = "{id: crossing, name: '<b>crossing', geometry: {circle: {centre: {lat_deg: 33.3, lon_deg: 38.1}, radius: 12 km}}}"


def changed(*edits: tuple[str, str], text: bytes = TEXT) -> bytes:
    for path, value in edits:
        text = set_value(text, path, value, file="a.yaml", folder=FOLDER).text
    return text


def page(before: bytes, after: bytes) -> str:
    old, new = parse(before, folder=FOLDER), parse(after, folder=FOLDER)
    return render_comparison(old, new, diff(old, new))


def drawn(html: str) -> list[str]:
    return sorted(re.findall(r'<path class="zone(?: exempt)? (\w+)"', html))


def test_each_zone_is_drawn_as_what_happened_to_it():
    text = changed(("zones[ring].geometry.circle.radius", "50 km"), ("zones[]", NEW))
    html = page(TEXT, text)
    assert drawn(html) == ["added", "now", "same", "same", "same", "same", "was"]
    assert drawn(page(text, TEXT)) == ["gone", "now", "same", "same", "same", "same", "was"]
    assert "55000 m" in html and "5000 m less" in html and "stand-off ring, before" in html
    assert "&lt;b&gt;crossing" in html and "<b>crossing" not in html


def test_a_change_of_words_alone_draws_nothing_twice():
    html = page(TEXT, changed(("exit.notice", "P60D"), ("notices.movement.keep_for", "not_set")))
    assert set(drawn(html)) == {"same"}
    assert "30 days" in html and "60 days" in html
    assert "NOT-06" in html[html.index("Opened by this change") : html.index("Closed by this change")]


def test_a_metre_and_an_hour_are_said_exactly():
    html = page(TEXT, changed(("zones[ring].geometry.circle.radius", "55001 m")))
    assert "1 m more" in html and "now" in drawn(html)


def test_the_same_version_twice_says_so():
    html = page(TEXT, TEXT)
    assert html.count("No term changed.") == 2 and set(drawn(html)) == {"same"}


@pytest.mark.parametrize(
    "text", [b"format: tocsin-agreement/1\nid: x\n", b"format: tocsin-agreement/1\nid: x\nzones: not_set\n"]
)
def test_a_draft_without_zones_has_a_page(text):
    html = page(text, TEXT)
    assert set(drawn(html)) == {"added"}
    assert "Neither version has a zone" in page(text, text)


def test_nothing_is_fetched():
    html = page(TEXT, changed(("zones[]", NEW)))
    assert "default-src &#39;none&#39;" in html
    assert not re.search(r'(?:src|href)="(?!#|data:,)', html)
