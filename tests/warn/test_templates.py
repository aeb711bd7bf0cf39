"""Every language against the lists it must cover; every rendered text against words of force and hostile names."""

from __future__ import annotations

import itertools
import string
import unicodedata

import pytest
from msgspec.structs import fields
from tests.warn.stories import Walk, cable, event

from tocsin.agreement.boundary import boundary_words
from tocsin.agreement.playbook import MOVER, Channel
from tocsin.warn.ladder import open_case
from tocsin.warn.message import Wording, compose
from tocsin.warn.states import Purpose
from tocsin.warn.steps import CaseEvent
from tocsin.warn.templates import PHRASES, phrases_for
from tocsin.warn.templates.phrases import Phrases
from tocsin.watch.event import MEASURES, EventKind

NAMES = [
    "MV Hope",
    "a\r\nBcc: everyone@example.org",
    "abc\u202etxt.exe",
    "\u2066hidden\u2069",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "x" * 10_000,
    "\x00\x1b[31mred",
    "سفينة",
    "{zone}{0.__class__}",
]
"""Names as feeds have carried them (FAULTS 58)."""
PLACES = {
    "zone",
    "channel",
    "code",
    "whom",
    "channels",
    "id",
    "version",
    "level",
    "url",
    "station",
    "notice",
    "unit",
    "due",
}
LABELS = {"what", "who", "when", "where", "agreement", "case", "last_seen"}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def texts(phrases: Phrases) -> dict[str, str]:
    """Return every text of a language by the name of its field."""
    found: dict[str, str] = {}
    for field in fields(phrases):
        value = getattr(phrases, field.name)
        if isinstance(value, str):
            found[field.name] = value
        elif isinstance(value, tuple):
            found.update({f"{field.name}/{n}": text for n, text in enumerate(value)})
        elif not isinstance(value, bool):
            found.update({f"{field.name}/{key}": text for key, text in value.items()})
    return found


@pytest.mark.parametrize("language", PHRASES)
def test_language_covers_every_event_purpose_and_label(language: str) -> None:
    phrases = PHRASES[language]
    assert set(phrases.what) == set(EventKind)
    assert set(phrases.heads) == set(phrases.plain) == set(Purpose)
    measures = set(phrases.labels) - LABELS
    assert set(phrases.labels) >= LABELS
    assert measures <= set(MEASURES)
    assert len(phrases.digits) == 10
    assert phrases.language == language


@pytest.mark.parametrize("language", PHRASES)
def test_language_puts_in_what_english_puts_in_and_nothing_else(language: str) -> None:
    english, found = texts(PHRASES["en"]), texts(PHRASES[language])
    assert found.keys() == english.keys()
    for name, text in found.items():
        assert placeholders(text) == placeholders(english[name]) <= PLACES, name


@pytest.mark.parametrize("language", PHRASES)
def test_no_fixed_text_holds_a_word_of_force(language: str) -> None:
    assert {name: boundary_words(text) for name, text in texts(PHRASES[language]).items() if boundary_words(text)} == {}


@pytest.mark.parametrize("language", PHRASES)
@pytest.mark.parametrize("purpose", Purpose)
def test_every_rendered_text_is_inside_the_boundary_and_on_its_own_lines(language: str, purpose: Purpose) -> None:
    channels = {"radio": Channel(channel_id="radio", kind="vhf", to=frozenset({MOVER}), languages=(language,))}
    playbook = cable(channels=channels)
    lengths = set()
    for kind, name in itertools.product(EventKind, NAMES):
        case = open_case(cable(), event(EventKind.APPROACH, track_id="dev:" + name, category=name))
        found = event(kind, zone=name, track_id="dev:" + name, accuracy_m=12.0)
        told = CaseEvent.of(found)
        words = compose(
            Wording(playbook=playbook), case, purpose=purpose, level=1, channel="radio", recipient=MOVER, event=told,
            text_id=None,
        )  # fmt: skip
        whole = f"{words.subject}\n{words.body}"
        assert boundary_words(whole) == []
        assert not [c for c in whole if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn"}]
        assert words.subject.startswith(PHRASES[language].heads[purpose])
        lengths.add(len(words.body.split("\n")))
    assert len(lengths) == 1, "a name added or took a line"


def test_facts_are_told_once_in_each_language_of_the_channel_that_is_here() -> None:
    assert [p.language for p in phrases_for(("ar", "zh", "en"))] == ["ar", "en"]
    assert [p.language for p in phrases_for(("zh",), otherwise="fr")] == ["fr"]
    assert [p.language for p in phrases_for((), otherwise="zh")] == ["en"]


def test_message_keeps_its_facts_apart_for_machines() -> None:
    walk = Walk()
    first = walk.found(event(EventKind.APPROACH, accuracy_m=15.0)).messages[1]
    again = next(m for m in walk.until(400).messages if m.channel == first.channel and m.saying == 1)
    assert first.facts is not None
    assert again.facts is not None
    assert (first.facts.lat_deg, first.facts.lon_deg, first.facts.accuracy_m) == (57.1, 5.5, 15.0)
    assert first.facts.said[0] == ("en", "Cable ahead, do not anchor or trawl")
    assert first.facts.earlier == ()
    assert [old.message_id for old in again.facts.earlier] == [first.message_id]
