"""Sentences: where they end, whether they are whole, and when they came."""

from __future__ import annotations

import pytest

from tocsin.tracks.formats.nmea import CLOCK_LINES, Clock, Sentence, checksum, parse_line, parse_rmc, split_line
from tocsin.tracks.quality import RejectReason
from tocsin.units import parse_instant_us

VDM = b"!AIVDM,1,1,,A,13nN34?000QFpgRWnQLLSPpF00SO,0"
BODY = VDM + b"*%02X" % checksum(VDM[1:])
AT = parse_instant_us("2015-04-07T17:34:13Z")


def tagged(*words: str, sentence: bytes = BODY) -> bytes:
    block = ",".join(words).encode()
    return b"\\" + block + b"*%02X\\" % checksum(block) + sentence


@pytest.mark.parametrize(
    ("line", "stamp_us"),
    [
        (BODY, None),
        (tagged("c:1428428053"), AT),
        (tagged("s:station", "c:1428428053250"), AT + 250_000),
        (tagged("g:1-2-1234", "s:x", sentence=tagged("c:1428428053")), AT),
        (tagged("c:12415440354"), None),
        (b"1428428053 " + BODY, AT),
        (b"1428428053.25," + BODY, AT + 250_000),
        (b"2015-04-07T17:34:13Z " + BODY, AT),
        (b"2015-04-07 20:34:13+03:00; " + BODY, AT),
        (BODY + b",d-080,S2118,t050056.00,T56.48,r003669946,1428428053", AT),
        (BODY + b",r003669946,1428428053,1428427994", AT),
        (BODY + b"\t2015-04-07T17:34:13Z", AT),
        (BODY + b",142842805", None),
        (b"17:34:13 " + BODY, None),
        (b"Apr  7 17:34:13 harbour ais[12]: " + BODY, None),
        (b"\x00\xff" + BODY, None),
    ],
)
def test_the_time_is_found_where_loggers_write_it(line: bytes, stamp_us: int | None) -> None:
    sentence = parse_line(line)
    assert isinstance(sentence, Sentence)
    assert (sentence.body, sentence.stamp_us, sentence.stamp_is_naive) == (BODY, stamp_us, False)


@pytest.mark.parametrize("line", [b"2015-04-07 17:34:13 " + BODY, BODY + b",2015-04-07T17:34:13"])
def test_a_time_without_zone_is_known_as_such(line: bytes) -> None:
    sentence = parse_line(line)
    assert isinstance(sentence, Sentence)
    assert (sentence.stamp_us, sentence.stamp_is_naive) == (None, True)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "other_sentence"),
        (b"# !AIVDM in a comment", "other_sentence"),
        (b"hello", "other_sentence"),
        (VDM, "truncated"),
        (BODY[:-1], "truncated"),
        (BODY[:-2] + b"00", "bad_checksum"),
        (b"\\c:1428428053*00\\" + BODY, "bad_checksum"),
        (b"\\c:1428428053\\" + BODY, "bad_checksum"),
        (b"\\c:1428428053*17", "truncated"),
        (b"!", "unparsable"),
        (b"$GP", "unparsable"),
        (b"garbage !AIVDM", "truncated"),
    ],
)
def test_a_line_without_a_sound_sentence_says_why(line: bytes, reason: str) -> None:
    assert parse_line(line) == reason


def test_a_sentence_changed_in_any_one_byte_is_never_sound() -> None:
    for at in range(1, len(BODY) - 3):
        changed = bytearray(BODY)
        changed[at] ^= 1
        assert isinstance(parse_line(bytes(changed)), RejectReason)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (BODY, BODY),
        (BODY, tagged("c:1428428053")),
        (tagged("c:1428428053"), tagged("c:1428428053")),
        (BODY, b"1428428053 " + BODY),
        (BODY + b",r003669946,1428428053", BODY),
        (BODY + b",r003669946,1428428053", tagged("s:x")),
        (BODY[:-3], BODY),
    ],
)
def test_two_records_that_lost_the_line_end_between_them_are_two(first: bytes, second: bytes) -> None:
    assert split_line(first + second) == [first, second]
    assert split_line(first + second + first) == [first, second, first]
    assert split_line(first) == [first]


def wrapper(second: int, of: bytes) -> Sentence:
    body = b"$PGHP,1,2015,4,7,17,34,%d,250,338,2,,1,%s" % (second, of)
    found = parse_line(body + b"*%02X" % checksum(body[1:]))
    assert isinstance(found, Sentence)
    return found


def test_a_wrapper_is_about_the_sentence_it_names_and_no_other() -> None:
    sentence = parse_line(BODY)
    assert isinstance(sentence, Sentence)
    clock = Clock()
    clock.learn(wrapper(13, b"%02X" % sentence.checksum))
    assert clock.tell_us(sentence, 2) == AT + 250_000
    assert clock.tell_us(sentence, 3) is None
    clock.learn(wrapper(13, b"00"))
    assert clock.tell_us(sentence, 5) is None


def test_a_receiver_s_clock_holds_for_a_stated_number_of_lines() -> None:
    sentence = parse_line(BODY)
    assert isinstance(sentence, Sentence)
    clock = Clock()
    clock.set_us(AT, 10)
    assert clock.tell_us(sentence, 10 + CLOCK_LINES) == AT
    assert clock.tell_us(sentence, 11 + CLOCK_LINES) is None


def test_rmc_is_read_to_the_minute_and_the_hemisphere() -> None:
    fix = parse_rmc(b"$GPRMC,235959.25,A,3330.0000,S,07036.0000,W,10.0,359.9,311216,,,A*00")
    assert fix is not None
    assert (fix.lat_deg, fix.lon_deg, fix.speed_kn, fix.course_deg, fix.valid) == (-33.5, -70.6, 10.0, 359.9, True)
    assert fix.at_us == parse_instant_us("2016-12-31T23:59:59.25Z")


@pytest.mark.parametrize(
    "body",
    [
        b"$GPRMC,235959,V,,,,,,,311216,,,N*00",
        b"$GPRMC,,A,9960.0000,N,07036.0000,E,,,,,,A*00",
        b"$GPRMC,250000,A,3330.0,X,07036.0,E,x,y,321316,,,A*00",
    ],
)
def test_rmc_without_a_fix_or_time_has_none(body: bytes) -> None:
    fix = parse_rmc(body)
    assert fix is not None
    assert fix.at_us is None or not fix.valid
    assert fix.lat_deg != fix.lat_deg


def test_another_sentence_is_no_rmc() -> None:
    assert parse_rmc(b"$GPGLL,5013.4693,N,00346.6503,W,035258,A,A*52") is None
