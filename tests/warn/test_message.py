"""The words: the agreed languages, the facts, what may not pass, and what hostile names may not do."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.warn.stories import Walk, cable, event

from tocsin.agreement.boundary import boundary_words
from tocsin.warn.ladder import open_case
from tocsin.warn.message import FIELD_LIMIT, Wording, compose, neutral
from tocsin.warn.states import Purpose
from tocsin.warn.steps import CaseEvent
from tocsin.watch.event import EventKind

HOSTILE = [
    "MV Hope\r\nBcc: everyone@example.org",
    "abc\u202etxt.exe",
    "\u2066hidden\u2069",
    "a\u2028b\u2029c",
    "x" * 10_000,
    "\x00\x1b[31mred",
    "\ufeffname\u200e\u200f\u061c",
    "\U000e0041tag",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_name_is_one_plain_line(text: str) -> None:
    plain = neutral(text)
    assert len(plain) <= FIELD_LIMIT
    assert not [c for c in plain if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}]


@given(st.text())
def test_any_text_is_neutral_after_one_pass_and_stays_so(text: str) -> None:
    once = neutral(text)
    assert neutral(once) == once
    assert "\n" not in once


def test_joiners_that_persian_and_hindi_need_are_kept() -> None:
    assert neutral("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_track_name_adds_no_line_to_a_message(text: str) -> None:
    case = Walk().found(event(EventKind.APPROACH, track_id="dev:" + text, category=text))
    plain = Walk().found(event(EventKind.APPROACH, track_id="dev:x", category="y"))
    hostile_lines = case.messages[0].body.split("\n")
    assert len(hostile_lines) == len(plain.messages[0].body.split("\n"))
    assert "\n" not in case.messages[0].subject


def test_words_come_in_the_languages_of_the_channel_then_the_facts_and_how_to_answer() -> None:
    case = Walk().found(event(EventKind.APPROACH, accuracy_m=15.0, measured={"time_to_entry_s": 720.0}))
    message = next(m for m in case.messages if m.channel == "vhf16")
    assert message.languages == ("en", "es")
    assert message.body.split("\n") == [
        "Cable ahead, do not anchor or trawl",
        "Cable submarino delante; no fondear ni arrastrar",
        "",
        "What: going on as it goes, it enters zone guard",
        "Who: mmsi:273000001, cargo",
        "When: 2030-03-17 17:46:40 UTC",
        "Where: 57.1000° N, 5.5000° E, within 15 m",
        "Enters in: 12 min",
        "Agreement: northreach-cable, version 4",
        f"Case: {case.case_id[:8]}, level 1",
        f"To answer: say on vhf16 that you received this, quoting {case.case_id[:8]}. It means nothing more.",
        "",
        "Qué: si sigue así, entra en la zona guard",
        "Quién: mmsi:273000001, cargo",
        "Cuándo: 2030-03-17 17:46:40 UTC",
        "Dónde: 57.1000° N, 5.5000° E, con un margen de 15 m",
        "Entra en: 12 min",
        "Acuerdo: northreach-cable, versión 4",
        f"Caso: {case.case_id[:8]}, nivel 1",
        f"Para responder: diga por vhf16 que recibió esto, citando {case.case_id[:8]}. No significa nada más.",
    ]


def test_language_of_the_playbook_is_used_where_the_channel_names_none_that_exists() -> None:
    texts = {"T1": {"zh": "前方海缆", "en": "Cable ahead"}}
    case = Walk(cable(texts=texts, language="zh")).found(event(EventKind.APPROACH))
    assert [m.languages for m in case.messages] == [("zh", "en"), ("en",), ("zh", "en")]


def test_repeat_tells_where_it_was_last_seen() -> None:
    walk = Walk()
    walk.found(event(EventKind.APPROACH))
    walk.found(event(EventKind.ENTRY, 100, lat_deg=-57.15))
    case = walk.until(180)
    assert "Last seen: went into zone guard, 2030-03-17 17:48:20 UTC, 57.1500° S, 5.5000° E" in case.messages[-1].body


def test_text_that_goes_beyond_warning_is_withheld_and_the_facts_still_go() -> None:
    texts = {"T1": {"en": "Turn back or we open fire"}}
    case = Walk(cable(texts=texts)).found(event(EventKind.APPROACH))
    body = case.messages[0].body
    assert not boundary_words(body)
    assert body.startswith("(The agreed words are withheld")
    assert "Where: 57.1000° N" in body


def test_preface_stands_first_in_every_message() -> None:
    walk = Walk()
    walk.wording = Wording(playbook=walk.playbook, preface="REPLAY")
    case = walk.found(event(EventKind.APPROACH))
    assert all(m.body.startswith("REPLAY\n") for m in case.messages)


def test_message_without_event_or_text_still_says_who_and_which_case() -> None:
    found = event(EventKind.APPROACH)
    case = open_case(cable(), found)
    words = compose(
        Wording(playbook=cable()),
        case,
        purpose=Purpose.CALL,
        level=3,
        channel="duty_officer",
        recipient="duty_officer",
        event=None,
        text_id=None,
    )
    assert words.subject == "Call: mmsi:273000001: call"
    assert "What happens now is for people to decide" in words.body


def test_measures_that_are_missing_are_not_told() -> None:
    seen = CaseEvent.of(event(EventKind.ENTRY, measured={"speed_mps": float("nan")}))
    assert seen.measured == ()
