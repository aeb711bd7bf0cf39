"""AIS text: what is written decodes to what was meant, on every path; what is lost is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pyais import decode
from pyais.messages import MessageType12, MessageType14
from tests.warn.stories import Walk, cable, event

from tocsin.warn.channels.formats.ais import (
    ADDRESSED_LIMIT,
    BROADCAST_LIMIT,
    SENTENCE_LIMIT,
    addressed,
    broadcast,
    safety_text,
    sixbit,
)
from tocsin.warn.telling import Message
from tocsin.watch.event import EventKind

CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_ !\"#$%&'()*+,-./0123456789:;<=>?"


def checksum(sentence: str) -> bool:
    body, _, given = sentence[1:].strip().partition("*")
    total = 0
    for char in body:
        total ^= ord(char)
    return f"{total:02X}" == given


def sent(sentences: tuple[str, ...]) -> str:
    """Return the text that a transponder would send: its own header put before the payload, decoded by pyais."""
    payload = "".join(sentence.split(",")[-2] for sentence in sentences)
    header, _ = MessageType12.create(msg_type=12, mmsi=2_000_001, dest_mmsi=273_000_001, text="").encode()
    whole = str(header)[:12] + payload
    found: list[str] = []
    parts = [whole[n : n + 60] for n in range(0, len(whole), 60)]
    for number, part in enumerate(parts, start=1):
        body = f"AIVDM,{len(parts)},{number},{1 if len(parts) > 1 else ''},A,{part},0"
        total = 0
        for char in body:
            total ^= ord(char)
        found.append(f"!{body}*{total:02X}")
    decoded = decode(*found)
    assert isinstance(decoded, MessageType12)
    return str(decoded.text)


@given(st.text(alphabet=CHARS, min_size=1, max_size=ADDRESSED_LIMIT), st.integers(0, 3))
def test_addressed_text_comes_back_as_it_was(text: str, sequence: int) -> None:
    sentences = addressed(text, mmsi=273_000_001, sequence=sequence)
    assert all(checksum(s) and len(s) <= SENTENCE_LIMIT and s.endswith("\r\n") for s in sentences)
    assert [s.split(",")[:4] for s in sentences] == [
        ["!AIABM", str(len(sentences)), str(n), str(sequence)] for n in range(1, len(sentences) + 1)
    ]
    assert sentences[0].split(",")[4:7] == ["273000001", "0", "12"]
    assert all(s.split(",")[4:7] == ["", "", ""] for s in sentences[1:])
    assert sent(sentences) == text.strip()


@given(st.text(alphabet=CHARS, min_size=1, max_size=BROADCAST_LIMIT))
def test_broadcast_text_comes_back_as_it_was(text: str) -> None:
    sentences = broadcast(text, sequence=2, channel=3)
    assert all(checksum(s) and len(s) <= SENTENCE_LIMIT for s in sentences)
    assert sentences[0].split(",")[:6] == ["!AIBBM", str(len(sentences)), "1", "2", "3", "14"]
    assert all(s.split(",")[4:6] == ["", ""] for s in sentences[1:])
    assert sent(sentences) == text.strip()


def test_payload_is_what_pyais_itself_puts_into_message_14() -> None:
    whole = MessageType14.create(msg_type=14, mmsi=2_000_001, text="CABLE AHEAD")
    assert whole.text == "CABLE AHEAD"
    assert sent(broadcast("CABLE AHEAD", sequence=0)) == whole.text


def told(**changes: object) -> Message:
    texts = {"T1": changes}
    return next(m for m in Walk(cable(texts=texts)).found(event(EventKind.APPROACH)).messages if m.channel == "ais_msg")


def test_short_words_go_whole_and_say_what_to_quote() -> None:
    message = told(en="Cable ahead, do not anchor or trawl")
    text = safety_text(message, limit=ADDRESSED_LIMIT)
    assert text.text == f"CABLE AHEAD, DO NOT ANCHOR OR TRAWL REF {message.case_id[:8].upper()}"
    assert text.notes == ()


def test_long_words_are_cut_at_a_word_and_the_outcome_says_what_is_missing() -> None:
    message = told(en="cable " * 60)
    text = safety_text(message, limit=ADDRESSED_LIMIT)
    assert len(text.text) <= ADDRESSED_LIMIT
    assert text.text.endswith(f"CABLE REF {message.case_id[:8].upper()}")
    assert text.notes[0].startswith("2")
    assert "characters left out: “CABLE CABLE" in text.notes[0]


def test_words_in_another_script_give_way_to_the_next_language_and_say_so() -> None:
    text = safety_text(told(ru="Впереди кабель", en="Cable ahead"), limit=ADDRESSED_LIMIT)
    assert text.text.startswith("CABLE AHEAD")
    only = safety_text(told(ru="Впереди кабель"), limit=ADDRESSED_LIMIT)
    assert only.text.startswith("WARNING: MMSI:273000001")
    assert "the agreed words cannot be written in AIS characters" in only.notes[0]


def test_message_without_a_latin_word_is_refused() -> None:
    message = replace(told(ru="Впереди кабель"), facts=None, subject="Предупреждение")
    with pytest.raises(ValueError, match="Latin capitals"):
        safety_text(message, limit=ADDRESSED_LIMIT)


def test_replay_says_so_on_the_air_too() -> None:
    message = told(en="Cable ahead")
    assert message.facts is not None
    replayed = replace(message, facts=replace(message.facts, preface="REPLAY."))
    assert safety_text(replayed, limit=ADDRESSED_LIMIT).text.startswith("REPLAY. CABLE AHEAD")


@given(st.text(max_size=60))
def test_any_text_becomes_six_bit_characters_or_is_counted_as_lost(text: str) -> None:
    found, lost = sixbit(text)
    assert set(found) <= set(CHARS)
    assert lost >= 0


@pytest.mark.parametrize("text", ["", "a", "@", "X" * 157, "É"])
def test_text_outside_the_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="six-bit characters"):
        addressed(text, mmsi=273_000_001, sequence=0)


@pytest.mark.parametrize(("mmsi", "sequence"), [(0, 0), (1_000_000_000, 0), (273_000_001, 4), (273_000_001, -1)])
def test_numbers_outside_their_range_are_refused(mmsi: int, sequence: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        addressed("X", mmsi=mmsi, sequence=sequence)
