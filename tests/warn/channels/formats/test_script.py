"""The operator's sheet: three times, digit by digit, in the recipient's language; a form and no script."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from msgspec.structs import replace
from tests.warn.stories import Walk, cable, event

from tocsin.agreement.boundary import boundary_words
from tocsin.agreement.playbook import MOVER, Channel
from tocsin.warn.channels.formats.script import LOGGED, page, scripts, sheet, spoken
from tocsin.warn.telling import Message
from tocsin.warn.templates import PHRASES
from tocsin.watch.event import EventKind

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a\r\nb", "\u202eabc", "=cmd", "x" * 10_000]


def told(*languages: str, **changes: object) -> Message:
    radio = Channel(channel_id="radio", kind="vhf", to=frozenset({MOVER}), languages=languages)
    level = replace(cable().levels[0], channels=("radio",), tell=(MOVER,))
    playbook = cable(channels={"radio": radio}, levels=(level,))
    return Walk(playbook).found(event(EventKind.APPROACH, **changes)).messages[0]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


@pytest.mark.parametrize("language", PHRASES)
def test_every_number_is_read_digit_by_digit_in_every_language(language: str) -> None:
    (found,) = scripts(told(language), station="North Watch", signal="Sécurité")
    whole = " ".join([found.call, *found.lines])
    assert not [c for c in whole if c in "0123456789"]
    digits = PHRASES[language].digits
    assert " ".join(digits[int(c)] for c in "273000001") in found.call
    assert boundary_words(whole) == []


def test_signal_name_and_own_name_are_said_three_times() -> None:
    (found,) = scripts(told("en"), station="North Watch", signal="Sécurité")
    assert found.call.startswith("Sécurité, Sécurité, Sécurité. two seven three")
    assert found.call.count("two seven three") == 3
    assert found.call.endswith("this is North Watch, North Watch, North Watch")
    assert found.as_json()["times"] == 3


def test_agreed_words_come_first_in_their_own_language() -> None:
    english, spanish = scripts(told("en", "es"), station="W")
    assert english.lines[0] == "Cable ahead, do not anchor or trawl"
    assert spanish.lines[0] == "Cable submarino delante; no fondear ni arrastrar"
    assert spanish.said_again == "repito"


def test_numbers_beside_letters_and_signs() -> None:
    assert spoken("64ab483c at 12:05, 3.5 km", PHRASES["en"]) == (
        "six four ab four eight three c at one two:zero five, three decimal five km"
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_adds_no_tag_and_no_attribute(name: str) -> None:
    plain, hostile = Tags(), Tags()
    plain.feed(page(told("en", track_id="dev:x", category="y"), station="W", action="https://w.example/a/t"))
    hostile.feed(page(told("en", track_id="dev:" + name, category=name), station=name, action="https://w.example/a/t"))
    assert hostile.tags == plain.tags
    assert hostile.attributes == plain.attributes
    assert "script" not in plain.tags


def test_sheet_leads_to_the_answer_page_and_has_lines_to_fill_in_by_hand() -> None:
    html = page(told("en"), station="W", action="https://watch.example/answer/TOKEN")
    assert '<a href="https://watch.example/answer/TOKEN">' in html
    assert "<form" not in html, "the answer page refuses forms of other places"
    assert html.count("<tr>") == 4
    log = sheet(told("en"), station="W", action="https://w.example/")["log"]
    assert log == {
        "page": "https://w.example/",
        "what": [str(kind) for kind in LOGGED],
        "fields": ["who", "what", "text"],
    }


def test_without_an_answer_page_the_sheet_says_how_to_write_it_down() -> None:
    html = page(told("ar"), station="W")
    assert "<form" not in html
    assert "Write what was said and answered into the answers file" in html
    assert 'dir="rtl"' in html
