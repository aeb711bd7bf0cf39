"""Slow twins of what `tracks` does a column at a time: one row, one bit, one report after the other."""

from __future__ import annotations

import csv
import hashlib
import math
import re
import struct
from collections.abc import Iterable, Mapping
from typing import Any

from tocsin.errors import UnitError
from tocsin.units import parse_instant_us

FIRST_US = parse_instant_us("1990-01-01T00:00:00Z")
LAST_US = parse_instant_us("2100-01-01T00:00:00Z")


def naive_csv(text: str) -> tuple[list[tuple[str, int, float, float]], dict[int, str]]:
    """Return (id, instant, lat, lon) of the good rows of a plain CSV file, and the reason for each bad line.

    For a header of id, time, lat, lon with identities that need no prefix rule; lines without quotes.
    """
    good: list[tuple[str, int, float, float]] = []
    bad: dict[int, str] = {}
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if number == 1 or not line:
            continue
        row = next(csv.reader([line]), [])
        if len(row) != 4:
            bad[number] = "wrong_columns"
            continue
        verdict = naive_row(*row)
        if isinstance(verdict, str):
            bad[number] = verdict
        else:
            good.append(verdict)
    return good, bad


def naive_row(  # noqa: PLR0911 - one return a reason
    who: str, when: str, lat_text: str, lon_text: str
) -> tuple[str, int, float, float] | str:
    """Return one row's values, or the first reason against it."""
    place = [naive_number(lat_text), naive_number(lon_text)]
    if "bad" in place:
        return "bad_number"
    lat, lon = (float(p) for p in place)
    if math.isnan(lat) or math.isnan(lon) or lat == 91 or lon == 181:
        return "not_a_position"
    if abs(lat) > 90:
        return "bad_latitude"
    if abs(lon) > 180:
        return "bad_longitude"
    if not when.strip():
        return "no_time"
    try:
        at_us = parse_instant_us(when)
    except UnitError:
        return "bad_time"
    if not FIRST_US <= at_us < LAST_US:
        return "implausible_time"
    if not who.strip():
        return "no_identity"
    return f"dev:{who.strip()}", at_us, lat, lon


def naive_number(text: str) -> float | str:
    """Return a number, NaN for missing, or the word bad."""
    plain = text.strip()
    if plain.upper() in ("", "NAN", "NULL", "NONE", "NA", "N/A", "\\N", "-"):
        return math.nan
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", plain, re.ASCII):
        return "bad"
    value = float(plain)
    return "bad" if math.isinf(value) else value


def naive_content(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a report says of its mover, as text: equal if and only if the content is."""
    numbers = ("lat_deg", "lon_deg", "alt_m", "speed_mps", "course_deg", "heading_deg", "accuracy_m")
    return (*(repr(row[n] + 0.0) for n in numbers), repr(row["party"]))


def naive_content_hash(row: Mapping[str, Any]) -> int:
    """Return the 64-bit hash of what a report says of its mover, in whole numbers of any size."""
    mixed = 0x9E3779B97F4A7C15
    words = []
    for name in ("lat_deg", "lon_deg", "alt_m", "speed_mps", "course_deg", "heading_deg", "accuracy_m"):
        value = row[name] + 0.0
        words.append(0x7FF8000000000000 if math.isnan(value) else int.from_bytes(struct.pack(">d", value), "big"))
    party = row["party"]
    words.append(0 if party is None else int.from_bytes(hashlib.sha256(party.encode()).digest()[:8], "big"))
    for word in words:
        mixed = ((mixed ^ word) * 0xBF58476D1CE4E5B9) % 2**64
        mixed ^= mixed >> 29
    return mixed


def naive_distinct(rows: Iterable[Mapping[str, Any]]) -> tuple[int, int, int]:
    """Return how many reports are kept, how many are duplicates, and how many of the kept are in conflict."""
    said: dict[tuple[str, Any], set[tuple[str, ...]]] = {}
    total = 0
    for row in rows:
        total += 1
        said.setdefault((row["track_id"], row["observed"]), set()).add(naive_content(row))
    kept = sum(len(contents) for contents in said.values())
    return kept, total - kept, sum(len(contents) for contents in said.values() if len(contents) > 1)


def naive_bits(payload: str, fill: int) -> str:
    """Return the bits of an armoured AIS payload (ITU-R M.1371, IEC 61162-1)."""
    values = [ord(c) - 48 - (8 if ord(c) - 48 > 40 else 0) for c in payload]
    bits = "".join(f"{v:06b}" for v in values)
    return bits[: len(bits) - fill]


def naive_class_a(bits: str) -> tuple[int, float, float, float, float, int]:
    """Return MMSI, latitude, longitude, speed in knots, course and second of a message 1, 2 or 3."""

    def signed(start: int, width: int) -> int:
        value = int(bits[start : start + width], 2)
        return value - (1 << width) if bits[start] == "1" else value

    return (
        int(bits[8:38], 2),
        signed(89, 27) / 600_000,
        signed(61, 28) / 600_000,
        int(bits[50:60], 2) / 10,
        int(bits[116:128], 2) / 10,
        int(bits[137:143], 2),
    )


def naive_second(received_us: int, second: int) -> int:
    """Return the instant of that second of a minute which lies from 54 s before to 5 s after the received second."""
    whole = received_us // 1_000_000
    (hit,) = [s for s in range(whole - 54, whole + 6) if s % 60 == second]
    return hit * 1_000_000
