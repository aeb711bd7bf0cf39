"""CSV: every line is a report or a reject with its reason, whatever stands in its neighbours."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.naive_tracks import naive_csv

from tocsin.errors import ReportError
from tocsin.tracks.formats import stream as stream_module
from tocsin.tracks.formats.columns import ColumnMap, load_columns
from tocsin.tracks.formats.csv import _Lines, _paired_pattern, read_csv
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.stream import Stream

PLAIN = load_columns("id=id,time=time,lat=lat,lon=lon")
HEADER = "id,time,lat,lon\n"
GOOD = "a,2020-01-01T00:00:00Z,33.5,38.6"


def read(text: str | bytes, columns: ColumnMap | None = PLAIN) -> list[Part]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_csv(Stream(BytesIO(data), name="t.csv"), columns, feed="t"))


def rows(parts: list[Part]) -> list[dict]:
    return [row for part in parts for row in part.table.to_pylist()]


def reasons(parts: list[Part]) -> dict[int, str]:
    return {r["line"]: r["reason"] for part in parts for r in part.rejects.to_pylist()}


def flags(parts: list[Part]) -> list[tuple[str, str]]:
    return [(f["flag"], f["detail"]) for part in parts for f in part.flags.to_pylist()]


CELLS = st.one_of(
    st.sampled_from(
        [
            *(
                "a",
                "",
                " ",
                "NaN",
                "nan",
                "inf",
                "33.5",
                "-0",
                "91",
                "181",
                "90.0000001",
                "-180",
                "180.5",
                "1e2",
                "1e400",
            ),
            *("2020-01-01T00:00:00Z", "2020-02-30T00:00:00Z", "2020-01-01 00:00:00+03:00", "1970-01-01T00:00:00Z"),
            *("\\N", "-", "0x10", "1_000", "١", "é", "33.5 ", "+1.", ".5", "."),
        ]
    ),
    st.text(st.characters(exclude_characters='",\r\n\x00', exclude_categories=["Cs"]), max_size=6),
)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=5).map(",".join), max_size=8), st.sampled_from(["\n", "\r\n", "\r"])
)
@example(["a,2020-01-01T00:00:00Z,1.,.5", "\ufeff,2020-01-01T00:00:00Z,1,1"], "\n")
def test_rows_are_those_of_the_slow_twin(lines: list[str], end: str) -> None:
    # Sound rows before them keep the part from being mostly of one fault, which refuses the file.
    text = end.join([HEADER.strip(), *[GOOD] * 9, *lines]) + end
    parts = read(text)
    good, bad = naive_csv(text)
    named = [(w, t, x, y) for w, t, x, y in good if w.removeprefix("dev:").isprintable()]
    found = [
        (r["track_id"], int(r["observed"].timestamp() * 1_000_000 + 0.5), r["lat_deg"], r["lon_deg"])
        for r in rows(parts)
    ]
    assert found == named
    assert {k: v for k, v in reasons(parts).items() if v != "bad_identity"} == bad


MARINE = (
    "MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status\n"
    '338148873,2022-01-03T00:00:00,33.6,-117.9,102.3,360.0,511.0,"NAME, WITH COMMA",,,30,0\n'
    "366941123,2022-01-03T00:00:01,33.7,-117.8,10.0,359.9,359.0,N,,,70,0\n"
)


def test_marinecadastre_is_recognised_and_its_words_for_not_available_are_missing() -> None:
    one, two = rows(read(MARINE, None))
    assert (one["track_id"], one["category"], one["feed"]) == ("mmsi:338148873", "fishing", "t")
    assert [one[c] != one[c] for c in ("speed_mps", "course_deg", "heading_deg")] == [True, True, True]
    assert two["speed_mps"] == pytest.approx(10 * 1852 / 3600, rel=1e-7)
    assert (two["course_deg"], two["heading_deg"]) == (pytest.approx(359.9), 359.0)
    assert two["observed"].isoformat() == "2022-01-03T00:00:01+00:00"


def test_danish_ais_is_recognised() -> None:
    text = (
        "# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,Ship type\n"
        "18/03/2023 00:00:00,Base Station,2190064,56.7166,11.519,Unknown value,,,,,Undefined\n"
        "18/03/2023 00:00:00,Class A,219000431,54.654183,11.3506,,,12.0,90.1,91,Law enforcement\n"
    )
    one, two = rows(read(text, None))
    assert (one["track_id"], one["category"]) == ("mmsi:002190064", None)
    assert (two["category"], two["observed"].isoformat()) == ("law_enforcement", "2023-03-18T00:00:00+00:00")


def test_elsewhere_360_degrees_is_north_and_102_knots_is_a_speed() -> None:
    text = "id,time,lat,lon,v,c\na,2020-01-01T00:00:00Z,1,2,102.3,360\n"
    (row,) = rows(read(text, load_columns("id=id,time=time,lat=lat,lon=lon,sog=v[kn],cog=c")))
    assert row["course_deg"] == 0.0
    assert row["speed_mps"] == pytest.approx(52.6277, abs=1e-4)


def test_units_are_converted() -> None:
    text = "id,time,lat,lon,v,h,r\na,2020-01-01T00:00:00Z,1,2,36,1000,1\n"
    (row,) = rows(read(text, load_columns("id=id,time=time,lat=lat,lon=lon,sog=v[km/h],alt=h[ft],accuracy=r[NM]")))
    assert (row["speed_mps"], row["alt_m"], row["accuracy_m"]) == pytest.approx((10.0, 304.8, 1852.0))


def test_an_unusable_optional_value_is_missing_and_flagged_and_the_position_kept() -> None:
    text = "id,time,lat,lon,v,c\na,2020-01-01T00:00:00Z,1,2,-0.1,400\nb,2020-01-01T00:00:00Z,1,2,fast,1\n"
    parts = read(text, load_columns("id=id,time=time,lat=lat,lon=lon,sog=v[kn],cog=c"))
    assert len(rows(parts)) == 2
    assert sorted(flags(parts)) == [
        ("bad_optional", "course_deg"),
        ("bad_optional", "speed_mps"),
        ("bad_optional", "speed_mps"),
    ]


def test_null_island_is_kept_and_flagged() -> None:
    parts = read(HEADER + "a,2020-01-01T00:00:00Z,0,-0.0\n")
    assert [(r["lat_deg"], str(r["lon_deg"])) for r in rows(parts)] == [(0.0, "0.0")]
    assert flags(parts) == [("null_island", "")]


def test_an_unknown_category_is_missing_and_flagged_but_one_that_nobody_said_is_only_missing() -> None:
    text = "id,time,lat,lon,k\n" + "".join(
        f"a,2020-01-01T00:00:00Z,1,2,{k}\n" for k in ("zeppelin", "", "Unknown", "Bus")
    )
    parts = read(text, load_columns("id=id,time=time,lat=lat,lon=lon,category=k"))
    assert [r["category"] for r in rows(parts)] == [None, None, None, "bus"]
    assert flags(parts) == [("unknown_category", "category")]


def test_swapped_columns_are_refused_with_the_hint() -> None:
    text = HEADER + "a,2020-01-01T00:00:00Z,-122.3,47.6\nb,2020-01-01T00:00:00Z,-122.4,47.7\n"
    with pytest.raises(ReportError) as caught:
        read(text)
    assert str(caught.value) == (
        "t.csv:2: found latitude -122.3 and longitude 47.6, "
        "expected latitudes within ±90: are lat=lat and lon=lon swapped?"
    )


def test_one_wild_latitude_among_many_is_a_reject_and_no_swap() -> None:
    assert reasons(read(HEADER + f"{GOOD}\n{GOOD}\na,2020-01-01T00:00:00Z,-122.3,47.6\n")) == {4: "bad_latitude"}


def test_times_without_zone_are_refused_with_the_hint() -> None:
    with pytest.raises(
        ReportError, match="found the time '2020-01-01 00:00:00' without a zone, expected an offset or Z"
    ):
        read(HEADER + "a,2020-01-01 00:00:00,1,2\n")


def test_one_naive_time_among_many_is_a_reject() -> None:
    assert reasons(read(HEADER + f"{GOOD}\n{GOOD}\na,2020-01-01 00:00:00,1,2\n")) == {4: "naive_time"}


def test_decimal_commas_are_refused_with_the_hint() -> None:
    with pytest.raises(ReportError, match="found the latitude '33,5', expected a decimal point"):
        read("id;time;lat;lon\na;2020-01-01T00:00:00Z;33,5;38,6\n")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_is_seen(delimiter: str) -> None:
    text = (HEADER + f'"a",2020-01-01T00:00:00Z,33.5,38.6\n{GOOD}\n').replace(",", delimiter)
    assert len(rows(read(text))) == 2


def test_a_delimiter_that_changes_costs_its_own_lines_only() -> None:
    text = HEADER + f"{GOOD}\n{GOOD.replace(',', ';')}\n{GOOD}\n"
    assert reasons(read(text)) == {3: "wrong_columns"}


QUOTED = "id,time,lat,lon,name\n"


@pytest.mark.parametrize(
    ("line", "sound"),
    [
        (GOOD + ',"x, y"', True),
        (GOOD + ',"say ""hm"""', True),
        (GOOD + ',12" gun', True),
        (GOOD + ',""', True),
        (GOOD + ',"unclosed', False),
        (GOOD + ',"closed" and more', False),
        ('"' + GOOD + ",x", False),
        (GOOD + ',x"', True),
        (GOOD + '",x', False),
    ],
)
def test_quotes_never_swallow_a_neighbour(line: str, sound: bool) -> None:
    before, after = GOOD + ",before", GOOD + ',"after"'
    parts = read(QUOTED + f"{before}\n{line}\n{after}\n")
    assert len(rows(parts)) == 2 + sound
    assert (2 not in reasons(parts), 4 not in reasons(parts)) == (True, True)
    assert sum(part.read for part in parts) == 3


@given(st.lists(st.text('a",', max_size=8), max_size=6))
def test_lines_of_quotes_in_any_order_are_all_accounted_for(lines: list[str]) -> None:
    parts = read(QUOTED + "".join(f"{line}\n" for line in [GOOD + ",x", *lines, GOOD + ",y"]))
    assert sum(part.read for part in parts) == 2 + sum(1 for line in lines if line)
    assert [r["track_id"] for r in rows(parts)] == ["dev:a", "dev:a"]


@given(st.text('a"",\n;', max_size=24))
@example('"a;b";"";c\n"d"')
@example('"a""b"\n')
@example('"a\n";"b"')
def test_lines_that_are_plainly_quoted_pair_by_the_pattern_too(text: str) -> None:
    lines = _Lines.of(text.encode(), 0)
    if lines.plainly_quoted(";"):
        assert lines.match(lines.filled(), _paired_pattern(";")).all()


def test_a_name_that_is_no_utf8_costs_nothing_unless_it_is_the_identity() -> None:
    text = b"id,time,lat,lon,name\n" + GOOD.encode() + b",\xc5land\n" + b"\xe9,2020-01-01T00:00:00Z,1,2,x\n"
    parts = read(text)
    assert len(rows(parts)) == 1
    assert reasons(parts) == {3: "bad_text"}
    assert parts[0].rejects["raw"][0].as_py() == "\\xe9,2020-01-01T00:00:00Z,1,2,x"


def test_rejects_name_the_line_even_after_empty_lines_and_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "BLOCK_BYTES", 64)
    monkeypatch.setattr(stream_module, "_PIECE", 50)
    body = "\n".join([GOOD, "", "a,2020-01-01T00:00:00Z,91,181", "\r", GOOD, "x", GOOD])
    assert reasons(read("\n" + HEADER + body + "\n")) == {5: "not_a_position", 8: "wrong_columns"}


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert len(rows(read(("\ufeff" + HEADER + GOOD + "\n").encode()))) == 1


def test_a_last_line_without_end_is_kept_and_flagged() -> None:
    parts = read(HEADER + GOOD + "\n" + GOOD)
    assert len(rows(parts)) == 2
    assert flags(parts) == [("unended_line", "")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "found an empty file"),
        (b"\n\r\n  \n", "found an empty file"),
        (("a," * 1_000_000).encode(), "found a first line of more than"),
        (("a," * 20_000 + "\n1").encode(), "found 20001 columns, expected at most 1000 columns"),
        (HEADER.encode("utf-16"), "found UTF-16 or UTF-32 text"),
        (HEADER.encode("utf-16-le"), "found NUL bytes"),
        (b"id,time,lat\nx", "found no column 'lon'"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "found NUL bytes"),
    ],
    ids=["empty", "blank", "million", "wide", "utf16", "utf16le", "missing", "binary"],
)
def test_a_file_that_is_no_table_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ReportError) as caught:
        read(data)
    assert message in str(caught.value)


def test_a_header_that_nobody_knows_is_refused_and_shown() -> None:
    with pytest.raises(
        ReportError, match="found columns 'a', 'b', expected a stated column map, or the columns of one"
    ):
        read("a,b\n1,2\n", None)


def test_a_header_alone_is_no_reports() -> None:
    assert rows(read(HEADER)) == []
    assert rows(read(HEADER.strip())) == []
