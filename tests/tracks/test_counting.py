"""P5 on hostile input: whatever the bytes, every record is accounted for or the file is refused with a sentence."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import ReportError
from tocsin.tracks import archive as module
from tocsin.tracks.archive import Archive
from tocsin.tracks.formats.columns import load_columns
from tocsin.tracks.formats.parquet import read_parquet
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.stream import Stream

DATA = Path(__file__).parent.parent / "data" / "tracks"
CSV = (
    "id,time,lat,lon,sog\n"
    + "".join(f"dev:{k},2020-01-01T00:00:0{k}Z,33.{k},38.{k},1{k}.5\n" for k in range(10))
    + '"dev:x, y",2020-01-01 03:00:00+03:00,-33.5,-38.6,\n'
).encode()
FEATURES = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": k,
                "geometry": {"type": "Point", "coordinates": [38.0 + k, 33.5]},
                "properties": {"observed": f"2020-01-01T00:00:0{k}Z"},
            }
            for k in range(4)
        ],
    }
).encode()
SAMPLES = {
    "csv": CSV,
    "geojson": FEATURES,
    "gpx": (DATA / "routes_and_waypoints.gpx").read_bytes(),
    "ais": b"".join((DATA / "mixed.txt").read_bytes().splitlines(keepends=True)[8:40]),
}
RULES = load_columns("id=id,time=time,lat=lat,lon=lon,sog=sog[kn]")


def read(data: bytes) -> list[Part] | ReportError:
    """Read bytes as a file whose format is told by its content; return its parts, or the refusal."""
    try:
        if data.startswith(b"PAR1"):
            return list(read_parquet(BytesIO(data), None, name="f", feed="f"))
        stream = Stream(BytesIO(data), name="f")
        columns = RULES if module.sniff(data[:65_536]) is module.Format.CSV else None
        return list(module._read_stream(stream, columns, "f"))
    except ReportError as refusal:
        assert str(refusal).startswith("f")
        assert refusal.found
        assert refusal.expected
        return refusal


def settled(parts: list[Part]) -> Archive:
    """Make an archive of the parts, which fails if a count does not add up."""
    return module._settle(["f"], [parts])


def lines_of(data: bytes) -> int:
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return sum(1 for line in text if line.strip())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_cut_at_any_byte_is_counted_or_refused(name: str) -> None:
    data = SAMPLES[name]
    for end in range(len(data) + 1):
        parts = read(data[:end])
        if isinstance(parts, ReportError):
            continue
        total = settled(parts).total
        if name == "csv":
            assert total.read == max(lines_of(data[:end]) - 1, 0)
        if name == "ais" and module.sniff(data[:end]) is not module.Format.CSV:
            assert total.read + total.joined == lines_of(data[:end])


@settings(max_examples=300)
@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_a_file_with_any_bytes_put_in_it_is_counted_or_refused(name: str, data: st.DataObject) -> None:
    sample = SAMPLES[name]
    at = data.draw(st.integers(0, len(sample)))
    until = data.draw(st.integers(at, min(len(sample), at + 8)))
    parts = read(sample[:at] + data.draw(st.binary(max_size=8)) + sample[until:])
    if not isinstance(parts, ReportError):
        settled(parts)


@settings(max_examples=300)
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
)
def test_any_bytes_at_all_are_counted_or_refused(data: bytes) -> None:
    for start in (b"", b"id,time,lat,lon,sog\n", b"!AIVDM,", b"{", b"<gpx>", b"PAR1", b"\x1f\x8b"):
        parts = read(start + data)
        if not isinstance(parts, ReportError):
            settled(parts)
