"""AIS: what each message says by the standard, and what every line of a log became."""

from __future__ import annotations

import json
import math
from collections import Counter
from io import BytesIO
from pathlib import Path

import pyarrow.compute as pc
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyais.encode import encode_dict
from tests.naive_tracks import naive_bits, naive_class_a, naive_second

from tocsin.tracks.formats import assemble
from tocsin.tracks.formats.ais import complete_us, read_ais
from tocsin.tracks.formats.nmea import checksum
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.stream import Stream
from tocsin.units import parse_instant_us

DATA = Path(__file__).parent.parent / "data" / "tracks"
AT = 1_495_116_120
"""2017-05-18T14:02:00Z, in seconds."""


def read(*lines: str | bytes) -> Part:
    data = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    (part,) = read_ais(Stream(BytesIO(data), name="t.nmea"), feed="t")
    return part


def said(part: Part) -> dict[int, str]:
    return dict(zip(part.rejects["line"].to_pylist(), part.rejects["reason"].to_pylist(), strict=True))


def message(kind: int = 1, stamp: int | None = AT, **given_fields: object) -> list[str]:
    """Return the sentences of one message, the time before the first of them."""
    usual = {"mmsi": 273000001, "lat": 33.5, "lon": 38.6, "speed": 10.0, "course": 90.0, "heading": 91, "second": 0}
    sentences = encode_dict({"msg_type": kind, **usual, **given_fields}, talker_id="AI", radio_channel="A", seq_id=3)
    return [f"{stamp} {s}" if stamp and k == 0 else s for k, s in enumerate(sentences)]


def halves(**given_fields: object) -> list[str]:
    """Return a message 19 as two sentences, without a time."""
    (whole,) = message(19, stamp=None, ship_type=37, **given_fields)
    payload = whole.split(",")[5]
    return [sealed(f"!AIVDM,2,1,3,A,{payload[:30]},0"), sealed(f"!AIVDM,2,2,3,A,{payload[30:]},0")]


def sealed(body: str) -> str:
    return f"{body}*{checksum(body[1:].encode()):02X}"


def one(part: Part) -> dict:
    (row,) = part.table.to_pylist()
    return row


def test_what_gpsd_decodes_is_what_is_read() -> None:
    expected = Counter()
    for line in (DATA / "gpsd_sample.expected.jsonl").read_text().splitlines():
        fields = json.loads(line)
        if fields["type"] in (1, 2, 3, 4, 9, 11, 18, 19, 21, 27) and abs(fields["lat"]) <= 90 and fields["mmsi"]:
            expected[(fields["mmsi"], round(fields["lat"], 3), round(fields["lon"], 3))] += 1
    text = (DATA / "gpsd_sample.aivdm").read_text("utf-8", "replace").splitlines()
    part = read(*(f"{AT} {line}" if line.startswith("!") else line for line in text))
    found = Counter(
        (int(r["track_id"].removeprefix("mmsi:")), round(r["lat_deg"], 3), round(r["lon_deg"], 3))
        for r in part.table.to_pylist()
    )
    # One message of the sample is five bits too short for its type, which gpsd forgives.
    assert (expected - found).total() <= 1
    assert found - expected == Counter()


def test_class_a_messages_agree_with_the_bits() -> None:
    lines = [line for line in (DATA / "danish_stream.txt").read_bytes().splitlines() if b"VDM,1,1," in line]
    checked = 0
    for line in lines:
        fields = line.decode().split(",")
        bits = naive_bits(fields[5], int(fields[6][0]))
        if int(bits[:6], 2) not in (1, 2, 3) or len(bits) != 168:
            continue
        mmsi, lat, lon, speed, course, second = naive_class_a(bits)
        if abs(lat) > 90 or abs(lon) > 180 or not 0 < mmsi < 10**9:
            continue
        row = one(read(b"%d " % AT + line))
        assert row["track_id"] == f"mmsi:{mmsi:09d}"
        assert (row["lat_deg"], row["lon_deg"]) == pytest.approx((lat, lon), abs=1e-6)
        assert speed >= 102.3 or row["speed_mps"] == pytest.approx(speed * 1852 / 3600, rel=1e-6)
        assert course >= 360 or row["course_deg"] == pytest.approx(course, rel=1e-6)
        at_us = naive_second(AT * 1_000_000, second) if second < 60 else AT * 1_000_000
        assert round(row["observed"].timestamp() * 1_000_000) == at_us
        checked += 1
    assert checked > 150


@given(st.integers(10**15, 2 * 10**15), st.integers(0, 59))
def test_the_second_of_a_message_completes_the_receiver_s_time(received_us: int, second: int) -> None:
    assert complete_us(received_us, second) == naive_second(received_us, second)


def test_a_network_s_log_is_read_with_the_times_of_its_wrappers() -> None:
    part = read(*(DATA / "danish_stream.txt").read_bytes().splitlines())
    lines = sum(1 for line in (DATA / "danish_stream.txt").read_bytes().splitlines() if line.strip())
    assert part.read + part.joined == lines
    assert part.table.num_rows > 200
    times = pc.min_max(part.table["received"]).as_py()
    assert times["min"].isoformat().startswith("2010-06-11T11:46:1")
    assert set(said(part).values()) <= {"other_sentence", "no_position", "not_a_position", "no_time", "incomplete"}


def test_coast_guard_logs_are_read_with_the_time_after_the_checksum() -> None:
    part = read(*(DATA / "uscg_types.nmea").read_bytes().splitlines())
    row = part.table.slice(0, 1).to_pylist()[0]
    assert (row["track_id"], row["observed"].isoformat()) == ("mmsi:367033650", "2012-01-01T05:00:56+00:00")
    assert row["received"].isoformat() == "2012-01-01T05:01:00+00:00"
    assert Counter(said(part).values())["no_position"] == 17


def test_a_log_full_of_rubbish_gives_what_is_sound_in_it() -> None:
    part = read(*(DATA / "mixed.txt").read_bytes().splitlines())
    assert part.table["track_id"].to_pylist() == ["mmsi:367006650"] or part.table.num_rows == 1
    assert Counter(said(part).values())["no_time"] == 7


@pytest.mark.parametrize(
    ("given_fields", "column", "value"),
    [
        ({"speed": 102.3}, "speed_mps", None),
        ({"speed": 102.2}, "speed_mps", 102.2 * 1852 / 3600),
        ({"course": 360.0}, "course_deg", None),
        ({"course": 359.9}, "course_deg", 359.9),
        ({"heading": 511}, "heading_deg", None),
        ({"heading": 0}, "heading_deg", 0.0),
        ({"accuracy": 1}, "accuracy_m", 10.0),
        ({"accuracy": 0}, "accuracy_m", None),
        ({"kind": 18, "speed": 102.3}, "speed_mps", None),
        ({"kind": 9, "speed": 1023}, "speed_mps", None),
        ({"kind": 9, "speed": 200}, "speed_mps", 200 * 1852 / 3600),
        ({"kind": 9, "alt": 4095}, "alt_m", None),
        ({"kind": 9, "alt": 300}, "alt_m", 300.0),
        ({"kind": 27, "speed": 63}, "speed_mps", None),
        ({"kind": 27, "course": 511}, "course_deg", None),
        ({"kind": 27, "accuracy": 1}, "accuracy_m", None),
    ],
)
def test_the_standard_s_words_for_not_available_are_missing(
    given_fields: dict, column: str, value: float | None
) -> None:
    found = one(read(*message(**given_fields)))[column]
    assert math.isnan(found) if value is None else found == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("given_fields", "reason"),
    [
        ({"lat": 91.0, "lon": 181.0}, "not_a_position"),
        ({"lat": 91.0}, "not_a_position"),
        ({"lon": 181.0}, "not_a_position"),
        ({"lat": 95.0}, "bad_latitude"),
        ({"lon": 190.0}, "bad_longitude"),
        ({"mmsi": 0}, "bad_identity"),
        ({"stamp": None}, "no_time"),
        ({"stamp": 100}, "no_time"),
    ],
)
def test_a_message_that_gives_no_report_says_why(given_fields: dict, reason: str) -> None:
    assert said(read(*message(**given_fields))) == {1: reason}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("!AIVDM,1,1,,A,13nN34?000QFpgRWnQLLSPpF00S,0", "wrong_length"),
        ("!AIVDM,1,1,,A,13nN34?000QFpgRWnQLLSPpF00SOO,0", "wrong_length"),
        ("!AIVDM,1,1,,A,13nN34?000QFpgRWnQLLSPpF00SO,6", "unparsable"),
        ("!AIVDM,1,1,,A,13nN34?000QFpgRWnQLLSPpF00S ,0", "unparsable"),
        ("!AIVDM,1,1,,A,13nN34?000QFpgRWnQLLSPpF00Sx,0", "unparsable"),
        ("!AIVDM,1,1,,A,,0", "unknown_type"),
        ("!AIVDM,1,1,,A,03nN34?000QFpgRWnQLLSPpF00SO,0", "unknown_type"),
        ("!AIVDM,1,1,,A,L3nN34?000QFpgRWnQLLSPpF00SO,0", "unknown_type"),
        ("!AIVDM,1,1,,A,w3nN34?000QFpgRWnQLLSPpF00SO,0", "unknown_type"),
        ("!AIVDM,1,1,,A,83nN34?000QFpgRWnQLLSPpF00SO,0", "no_position"),
        ("!AIVDM,0,0,,A,13nN34?000QFpgRWnQLLSPpF00SO,0", "unparsable"),
        ("!AIVDM,2,3,1,A,13nN34?000QFpgRWnQLLSPpF00SO,0", "unparsable"),
        ("!AIVDM,10,1,1,A,13nN34?000QFpgRWnQLLSPpF00SO,0", "unparsable"),
        ("!AIVDM,2,1,-1,A,13nN34?000QFpgRWnQLLSPpF00SO,0", "unparsable"),
        ("!AIVDM,2,1,99,A,13nN34?000QFpgRWnQLLSPpF00SO,0", "unparsable"),
        ("!AIVDM,2,1,1,A,13nN34?000QFpgRWnQLLSPpF00SO,0", "incomplete"),
        ("!AIVDM,1,1", "unparsable"),
        (f"!AIVDM,1,1,,A,{'1' * 201},0", "unparsable"),
    ],
)
def test_every_trap_costs_its_own_line_only(body: str, reason: str) -> None:
    part = read(*message(mmsi=1), f"{AT} {sealed(body)}", *message(mmsi=2))
    assert part.table["track_id"].to_pylist() == ["mmsi:000000001", "mmsi:000000002"]
    assert said(part) == {2: reason}


STATIC = {"kind": 5, "shipname": "X", "ship_type": 30}


def test_a_ship_s_type_is_taken_from_its_static_message_wherever_that_stands() -> None:
    part = read(*message(), *message(**STATIC), *message(second=1), *message(mmsi=273000005, second=1))
    assert part.table["category"].to_pylist() == ["fishing", "fishing", None]
    assert (part.read, part.joined) == (4, 1)


def test_a_type_that_changes_holds_from_where_it_was_said() -> None:
    later = message(**{**STATIC, "ship_type": 70})
    part = read(*message(**STATIC), *message(), *later, *message(second=1))
    assert part.table["category"].to_pylist() == ["fishing", "cargo"]


def test_class_b_says_its_type_in_part_b_of_24_and_in_19() -> None:
    part_b = message(24, partno=1, ship_type=36)
    assert read(*message(18), *part_b).table["category"].to_pylist() == ["sailing"]
    assert one(read(*message(19, ship_type=37)))["category"] == "pleasure"


def test_a_beacon_is_known_by_its_number() -> None:
    assert one(read(*message(mmsi=970123456)))["category"] == "distress_beacon"
    assert one(read(*message(4, mmsi=2311200, year=2017, month=5, day=18)))["category"] == "base_station"


def test_parts_in_any_order_and_among_others_are_one_message() -> None:
    first, second = halves()
    part = read(f"{AT} {second}", *message(mmsi=9), first)
    assert sorted(part.table["track_id"].to_pylist()) == ["mmsi:000000009", "mmsi:273000001"]
    assert (part.read, part.joined) == (2, 1)


def test_parts_of_two_stations_are_not_mixed() -> None:
    def station(name: str, sentence: str) -> str:
        block = f"s:{name},c:{AT}"
        return f"\\{block}*{checksum(block.encode()):02X}\\{sentence}"

    a, b = halves(mmsi=111), halves(mmsi=222)
    part = read(station("x", a[0]), station("y", b[0]), station("x", a[1]), station("y", b[1]))
    assert sorted(part.table["track_id"].to_pylist()) == ["mmsi:000000111", "mmsi:000000222"]


def test_parts_that_never_complete_are_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemble, "MAX_WAITING", 4)
    lines = [sealed(f"!{talker}VDM,3,1,{k},A,53,0") for talker in ("AI", "BS", "AB") for k in range(10)]
    part = read(*lines)
    assert Counter(said(part).values()) == {"incomplete": 30}


def test_two_sentences_on_one_line_are_two_records() -> None:
    part = read(message(mmsi=1)[0] + message(mmsi=2)[0])
    assert part.table["track_id"].to_pylist() == ["mmsi:000000001", "mmsi:000000002"]


def test_the_receiver_s_own_fixes_tell_the_time_and_are_its_track() -> None:
    rmc = sealed("$GPRMC,140200,A,3330.0000,N,03836.0000,E,6.0,90.0,180517,,,A")
    lost = sealed("$GPRMC,140300,V,,,,,,,180517,,,N")
    part = read(*message(stamp=None), rmc, *message(stamp=None, second=59), lost)
    own, other = part.table.to_pylist()
    assert (own["track_id"], own["lat_deg"], own["observed"].isoformat()) == (
        "dev:t",
        33.5,
        "2017-05-18T14:02:00+00:00",
    )
    assert other["observed"].isoformat() == "2017-05-18T14:01:59+00:00"
    assert said(part) == {1: "no_time", 4: "not_a_position"}


def test_a_naive_time_is_refused_as_such() -> None:
    assert said(read("2017-05-18 14:02:00 " + message(stamp=None)[0])) == {1: "naive_time"}


LOG = "\r\n".join([*message(mmsi=1), "# note", *message(**STATIC), "", *message(mmsi=2), *halves(mmsi=3)]).encode()


def test_a_log_cut_at_any_byte_loses_at_most_its_last_line() -> None:
    whole = read(LOG).table["track_id"].to_pylist()
    for end in range(1, len(LOG)):
        part = read(LOG[:end])
        lines = [line for line in LOG[:end].split(b"\n") if line.strip()]
        assert part.read + part.joined == len(lines)
        found = part.table["track_id"].to_pylist()
        assert found == whole[: len(found)]


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from(LOG.split(b"\r\n")),
            st.sampled_from([b"\\", b"!AIVDM,2,1,3,A,5,0*00"]),
        ),
        max_size=12,
    )
)
def test_any_bytes_are_reports_or_rejects(lines: list[bytes]) -> None:
    assume(not b"\n".join(lines).startswith((b"\xff\xfe", b"\xfe\xff")))  # another coding is refused whole
    part = read(*lines)
    text = b"\n".join(lines).removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert part.read + part.joined >= sum(1 for line in text.split(b"\n") if line.strip())


def test_instants_of_the_log_are_utc() -> None:
    assert one(read(*message()))["observed"].timestamp() * 1e6 == parse_instant_us("2017-05-18T14:02:00Z")
