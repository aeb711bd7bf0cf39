"""JSON lines a piece at a time: the usual piece, in which every line is sound and plain, column by column.

What `jsonlines.py` reads line by line is read here at once, in a tenth of the time, or not at all: a piece with
anything unusual in it (a refusal, a flag, an escape, a declared kind, a time in another spelling than RFC 3339's with
`T` and `Z`) is left to it whole. So there is one opinion of what a line says; a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET
from msgspec.structs import astuple
from numpy.typing import NDArray

from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.formats.cells import optional_floats
from tocsin.tracks.formats.times import EARLIEST_US, LATEST_US
from tocsin.tracks.identity import normal_id

MAX_LINE_BYTES = 16_384
"""Bytes of one line (P11); a report has about 300."""

NAN = float("nan")

MAX_KNOWN = 200_000
"""Spellings of identities that are remembered (P11)."""

OPTIONAL = {
    "alt": "alt_m",
    "sog": "speed_mps",
    "cog": "course_deg",
    "heading": "heading_deg",
    "accuracy": "accuracy_m",
}

_KNOWN: dict[str, str] = {}
"""Identities as written, and in their one spelling: of every reader, since a request has its own."""

MOST_KNOWN_CHARS = 100
"""Characters of a spelling that is remembered: what is mostly blanks is not."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)


class QuickLines:
    """Reads pieces of JSON lines whose every line is plain.

    Parameters
    ----------
    line : type
        The struct of a line; its fields are those of `jsonlines.KEYS`.
    feed : str
    party : str, optional
        Of every report.
    """

    def __init__(self, line: type[msgspec.Struct], *, feed: str, party: str | None) -> None:
        self._decoder = _decoder(line)
        self._fields = line.__struct_fields__
        self._feed = feed
        self._party = party

    def read(self, raws: Sequence[bytes], arrived_us: Sequence[int | None]) -> ReportBatch | None:
        """Return what lines say, or None if one of them is not plain.

        Parameters
        ----------
        raws : sequence of bytes
            One or more lines, without their ends.
        arrived_us : sequence of int or None
            When each came.
        """
        if self._party is not None and (not self._party.strip() or self._party != self._party.strip()[:100]):
            return None
        read = self._lines(raws)
        if read is None:
            return None
        try:
            return self._batch(*read, arrived_us)
        except (TypeError, ValueError, AttributeError):  # a word where a number is expected, or none at all
            return None

    def _lines(self, raws: Sequence[bytes]) -> tuple[list[Any], int] | None:
        """Return the lines' structs and how many colons they have; None if they may not be an object each.

        No text holds a line's end, so that each line begins and ends between two values. As many objects as lines, each
        beginning with a brace and ending with one, are one a line. Each key has a colon; see `jsonlines.read_line`.
        """
        whole = b",\n".join(raws)
        if (
            max(map(len, raws)) > MAX_LINE_BYTES
            or b"\\" in whole
            or not all(raw[:1] == b"{" and raw[-1:] == b"}" for raw in raws)
        ):
            return None
        try:
            found: list[Any] = self._decoder.decode(b"[" + whole + b"]")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return (found, whole.count(b":")) if len(found) == len(raws) else None

    def _batch(self, found: list[Any], colons: int, arrived_us: Sequence[int | None]) -> ReportBatch | None:
        n = len(found)
        said = dict(zip(self._fields, zip(*map(astuple, found), strict=True), strict=True))
        if any(said[name].count(UNSET) < n for name in ("received", "party", "category")):
            return None
        track, names = _tracks(said["track_id"])
        observed = instants(said["observed"])
        lat = np.array(said["lat_deg"], np.float64) + 0.0
        lon = np.array(said["lon_deg"], np.float64) + 0.0
        is_place = (np.abs(lat) <= 90.0) & (np.abs(lon) <= 180.0) & ((lat != 0.0) | (lon != 0.0))
        if track is None or observed is None or not is_place.all():
            return None
        keys, columns = 4 * n, {}
        for field, column in OPTIONAL.items():
            given = n - said[column].count(UNSET)
            keys += given
            numbers = _numbers(field, said[column], given)
            if numbers is None:
                return None
            columns[column] = numbers
        in_texts = "".join(said["observed"]).count(":") + "".join(said["track_id"]).count(":")
        if colons != keys + in_texts:
            return None
        came = observed
        if arrived_us.count(None) < n:
            came = np.array(
                [at if at is not None else of for at, of in zip(arrived_us, observed, strict=True)], np.int64
            )
        nobody = np.full(n, -1, np.int32)
        return ReportBatch(
            track=track,
            observed_us=observed,
            received_us=came,
            lat_deg=lat,
            lon_deg=lon,
            **columns,
            feed=np.zeros(n, np.int32),
            party=nobody if self._party is None else np.zeros(n, np.int32),
            category=nobody,
            tracks=names,
            feeds=(self._feed,),
            parties=() if self._party is None else (self._party,),
            categories=(),
        )


@cache
def _decoder(line: type[msgspec.Struct]) -> msgspec.json.Decoder[list[Any]]:
    return msgspec.json.Decoder(list[line])  # type: ignore[valid-type]


def _tracks(texts: Sequence[str]) -> tuple[NDArray[np.int32] | None, tuple[str, ...]]:
    """Return each identity's place among the names, and those in order of appearance."""
    names = list(map(_KNOWN.get, texts))
    if None in names:
        names = [name or _normal(text) for name, text in zip(names, texts, strict=True)]
        if None in names:
            return None, ()
    places: dict[str | None, int] = {}
    codes = [places.setdefault(name, len(places)) for name in names]
    return np.array(codes, np.int32), tuple(filter(None, places))


def _normal(text: str) -> str | None:
    name = normal_id(text) if text.strip() and "\ufffd" not in text else None
    if name is not None and len(text) <= MOST_KNOWN_CHARS:
        if len(_KNOWN) >= MAX_KNOWN:
            _KNOWN.clear()
        _KNOWN[text] = name
    return name


def instants(texts: Sequence[str]) -> NDArray[np.int64] | None:
    """Return times as microseconds UTC; None if one is not written `YYYY-MM-DDTHH:MM:SS[.ffffff]Z`, or is none.

    Parameters
    ----------
    texts : sequence of str

    Examples
    --------
    >>> instants(["2026-11-27T10:00:00Z", "2026-11-27T10:00:00.25Z"])
    array([1795773600000000, 1795773600250000])
    >>> instants(["2026-11-27T10:00:00+01:00"]) is None
    True
    """
    if not all(map(_INSTANT.fullmatch, texts)):
        return None
    try:
        us = np.array([text[:-1] for text in texts], "datetime64[us]").astype(np.int64)
    except ValueError:  # a day or a second that no calendar has
        return None
    return us if ((us >= EARLIEST_US) & (us < LATEST_US)).all() else None


def _numbers(field: str, values: Sequence[Any], given: int) -> NDArray[np.float32] | None:
    """Return an optional column, NaN where a line does not say; None if what one says cannot be used."""
    n = len(values)
    if not given:
        return np.full(n, NAN, np.float32)
    numbers = np.array(values if given == n else [NAN if v is UNSET else v for v in values], np.float64)
    if np.isinf(numbers).any():
        return None
    numbers, bad = optional_floats(field, numbers, m1371=False)
    return None if bad.any() else numbers.astype(np.float32)
