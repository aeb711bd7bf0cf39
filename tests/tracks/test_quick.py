"""Quick: what is read a piece at a time is what is read line by line, or it is not read so at all."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.formats.jsonlines import JsonLines
from tocsin.tracks.formats.quick import OPTIONAL, QuickLines, instants
from tocsin.units import parse_instant_us

PLAIN: dict[str, Any] = {"track_id": "dev:a", "observed": "2026-11-27T10:00:00Z", "lat_deg": 33.5, "lon_deg": 38.6}
ODD_TIMES = (
    "2026-02-29T00:00:00Z", "2026-11-27T10:00:60Z", "2026-11-27 10:00:00Z", "2026-11-27T10:00:00.5Z",
    "2026-11-27T10:00:00", "2026-11-27T10:00:00.1234567Z", "2026-11-27T10:00:00.Z", "Z", "",
)  # fmt: skip
TIMES = st.integers(parse_instant_us("1980-01-01T00:00:00Z"), parse_instant_us("2110-01-01T00:00:00Z")).map(
    lambda us: f"{np.datetime64(us, 'us')}Z"
) | st.sampled_from(ODD_TIMES)
IDS = st.sampled_from(["dev:a", "mmsi:211000001", "3669702", "icao24:4B1A2C", " x ", "", "mmsi:0", "ü", "a:b:c"])
NUMBERS = st.none() | st.floats(-400, 400) | st.integers(-400, 400) | st.sampled_from([0.0, -0.0, 91, 181, 360, 1e9])
LINES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("lat_deg", "lon_deg", *OPTIONAL.values()), NUMBERS),
        "track_id": IDS | st.none(),
        "observed": TIMES,
        "received": TIMES,
        "party": st.sampled_from(["north", None]),
        "category": st.sampled_from(["ship", None]),
    },
)  # fmt: skip


def both(raws: list[bytes], party: str | None, at_us: int | None) -> tuple[Any, Any]:
    slow, quick = (JsonLines(file="f", feed="f", party=party) for _ in range(2))
    for lines in (slow, quick):
        lines.take_all((raw, number, at_us) for number, raw in enumerate(raws, start=1))
    return quick.quick(), slow.drain()


@settings(max_examples=200)
@given(
    lines=st.lists(st.one_of(st.just({}), LINES).map(lambda odd: PLAIN | odd), min_size=1, max_size=5),
    party=st.sampled_from([None, "north", " "]),
    at_us=st.sampled_from([None, parse_instant_us("2026-11-27T10:00:30Z")]),
    change=st.sampled_from(["", "twice", "space", "escape", "split", "two"]),
)
def test_what_is_read_quickly_is_what_is_read_line_by_line(
    lines: list[dict[str, Any]], party: str | None, at_us: int | None, change: str
) -> None:
    raws = [json.dumps(line, ensure_ascii=False).encode() for line in lines]
    if change == "twice":
        raws[0] = raws[0][:-1] + b',"lat_deg":1}'
    elif change == "space":
        raws[0] = raws[0].replace(b",", b" ,\t").replace(b"}", b" }")
    elif change == "escape":
        raws[0] = raws[0].replace(b"lat_deg", b"l\\u0061t_deg")
    elif change == "split":  # two lines that are one object, and one that is two
        raws[:1] = [b'{"track_id":"}', b'{","observed":"2026-11-27T10:00:00Z","lat_deg":1,"lon_deg":1}', *raws[:1]]
    elif change == "two":
        raws[0] += b"," + raws[0]
    quick, slow = both(raws, party, at_us)
    if quick is not None:
        assert slow.rejects.num_rows == slow.flags.num_rows == 0
        assert repr(quick) == repr(ReportBatch.from_table(slow.table))
    if change in ("twice", "escape", "split", "two"):
        assert quick is None


def test_the_usual_piece_is_read_quickly() -> None:
    raws = [json.dumps(PLAIN | {"lat_deg": n / 10, "speed_mps": 5}).encode() for n in range(1, 9)]
    quick, slow = both(raws, "north", 1_795_773_630_000_000)
    assert quick is not None
    assert repr(quick) == repr(ReportBatch.from_table(slow.table))


@example("2026-11-27T10:00:00.123456Z")
@given(TIMES)
def test_instants_are_those_of_units(text: str) -> None:
    found = instants([text])
    if found is not None:
        assert found.tolist() == [parse_instant_us(text)]


@pytest.mark.parametrize("text", ["2026-11-27T10:00:00Z", "2024-02-29T23:59:59.9Z", "2099-12-31T00:00:00.000001Z"])
def test_plain_instants_are_read(text: str) -> None:
    assert instants([text, "2026-11-27T10:00:00.123456Z"]) is not None


def test_a_piece_with_a_long_line_is_left_alone() -> None:
    long = b'{"track_id":"' + b"x" * 20_000 + b'"}'
    assert QuickLines(msgspec.defstruct("Line", []), feed="f", party=None).read([long], [None]) is None
