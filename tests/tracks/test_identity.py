"""One spelling for one identity, and none for what is not one."""

from __future__ import annotations

import pytest

from tocsin.tracks.identity import MAX_ID_CHARS, IdPrefix, normal_id


@pytest.mark.parametrize(
    ("text", "prefix", "found"),
    [
        ("2311200", IdPrefix.MMSI, "mmsi:002311200"),
        ("366941123.0", IdPrefix.MMSI, "mmsi:366941123"),
        ("0", IdPrefix.MMSI, None),
        ("1193046000", IdPrefix.MMSI, None),
        ("36694112x", IdPrefix.MMSI, None),
        ("٣٦٦٩٤١١٢٣", IdPrefix.MMSI, None),
        ("4B1A2C", IdPrefix.ICAO24, "icao24:4b1a2c"),
        ("~2a3b4c", IdPrefix.ICAO24, "icao24:~2a3b4c"),
        ("4b1a2", IdPrefix.ICAO24, None),
        ("icao24:4B1A2C", IdPrefix.MMSI, "icao24:4b1a2c"),
        ("ship:7", None, "dev:ship:7"),
        (" dev:truck 7 ", None, "dev:truck 7"),
        ("dev:", None, None),
        ("", None, None),
        ("two\nlines", None, None),
        ("right\u202eleft", None, None),
        ("x" * MAX_ID_CHARS, None, "dev:" + "x" * MAX_ID_CHARS),
        ("x" * (MAX_ID_CHARS + 1), None, None),
    ],
)
def test_normal_id(text: str, prefix: IdPrefix | None, found: str | None) -> None:
    assert normal_id(text, prefix) == found


@pytest.mark.parametrize("text", ["2311200", "truck 7", "ship:7"])
def test_normal_id_of_a_normal_id_is_itself(text: str) -> None:
    once = normal_id(text, IdPrefix.MMSI if text.isdigit() else None)
    assert once is not None
    assert normal_id(once) == once
