"""GPX: the points of recorded tracks into reports, read as they come and never as a tree.

GPX 1.0 and 1.1 (Topografix). Track n of a file is `dev:<feed>/<n>`, since GPX names no device; segments stay one
track. `ele` is taken as it stands, plus `geoidheight` where the point has one; without it the height is usually above
the geoid, up to 107 m off the ellipsoid. Speed and course as in GPX 1.0, or in an extension of that name (m/s, °).
Waypoints and planned routes are counted and kept apart. XML with a document type is refused, as are depth and pieces
past a bound: the parser underneath grows slow on them. gpxpy would read the same but has had no release since 2023.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from tocsin.errors import Place, ReportError, UnitError
from tocsin.tracks.formats.fixes import NAN, Fixes
from tocsin.tracks.formats.part import Part
from tocsin.tracks.formats.stream import MAX_DOCUMENT_BYTES, Stream
from tocsin.tracks.quality import RejectReason
from tocsin.units import parse_instant_us

MAX_DEPTH = 64
"""Elements within elements."""
MAX_TOKEN_BYTES = 65_536
"""Bytes without a `<` or `>`: bounds every tag, attribute and text (Expat before 2.6 takes quadratic time)."""

_NUMBER = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
_BRACKET = re.compile(rb"[<>]")
_POINTS = {"trkpt": None, "wpt": "waypoint", "rtept": "planned route"}


def read_gpx(stream: Stream, *, feed: str) -> Iterator[Part]:
    """Yield a GPX file as one part; a record is a point.

    Parameters
    ----------
    stream : Stream
    feed : str
        The feed of every report, and the stem of the tracks' identities.

    Raises
    ------
    ReportError
        For XML that is not well formed, holds a document type, or passes a bound; and for another vocabulary.
    """
    fixes = Fixes(file=stream.name, feed=feed)
    try:
        _read(stream, fixes, feed)
    except DefusedXmlException as error:
        raise ReportError(
            f"a document type ({type(error).__name__})", expected="XML without one", place=stream.place
        ) from error
    except ParseError as error:
        line = error.position[0]
        raise ReportError(f"no well-formed XML ({error})", expected="GPX", place=Place(stream.name, line)) from error
    except (ValueError, LookupError) as error:
        raise ReportError(f"an encoding that is not read ({error})", expected="UTF-8", place=stream.place) from error
    if stream.cut:
        raise ReportError(stream.cut, expected="a whole document", place=stream.place)
    yield fixes.part()


def _read(stream: Stream, fixes: Fixes, feed: str) -> None:
    depth = track = points = 0
    parents: list[Element] = []
    for event, element in iterparse(_Bounded(stream), events=("start", "end"), forbid_dtd=True):
        name = _local(element.tag)
        if event == "start":
            depth += 1
            if depth == 1 and name != "gpx":
                raise ReportError(f"XML of <{name}>", expected="GPX", place=stream.place)
            if depth > MAX_DEPTH:
                raise ReportError(f"elements {depth} deep", expected=f"at most {MAX_DEPTH}", place=stream.place)
            track += name == "trk"
            parents.append(element)
            continue
        depth -= 1
        parents.pop()
        if name in _POINTS:
            points += 1
            _point(element, points, fixes, track=f"dev:{feed}/{track}", other=_POINTS[name])
        if name in _POINTS or depth == 1:
            element.clear()
            # A finished child stays in its parent's list unless taken out: 10 million points would stay as shells.
            if parents:
                parents[-1].remove(element)


def _point(element: Element, number: int, fixes: Fixes, *, track: str, other: str | None) -> None:
    found = {_local(child.tag): (child.text or "").strip() for child in element.iter() if child is not element}
    raw = f"{element.attrib.get('lat')} {element.attrib.get('lon')} {found}"
    if other is not None:
        fixes.reject(number, RejectReason.NOT_A_TRACK, raw, other)
        return
    lat, lon = (_degrees(element.attrib.get(axis)) for axis in ("lat", "lon"))
    when = found.get("time", "")
    if lat is None or lon is None:
        fixes.reject(number, RejectReason.BAD_NUMBER, raw)
    elif not when:
        fixes.reject(number, RejectReason.NO_TIME, raw)
    else:
        try:
            at_us = parse_instant_us(when)
        except UnitError:
            naive = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?", when, re.ASCII)
            fixes.reject(number, RejectReason.NAIVE_TIME if naive else RejectReason.BAD_TIME, raw, when)
            return
        fixes.accept(
            number, raw, track=track, observed_us=at_us, received_us=None, lat=lat, lon=lon,
            alt=_float(found.get("ele")) + (_float(found["geoidheight"]) if found.get("geoidheight") else 0.0),
            sog=_float(found.get("speed")), cog=_float(found.get("course")),
        )  # fmt: skip


class _Bounded:
    """A stream as a file for the parser, which refuses pieces without a `<` or `>` that are too long."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._pieces = stream.pieces()
        self._taken = 0
        self._tail = b""

    def read(self, _size: int = -1) -> bytes:
        """Return the next piece for the parser, empty at the end; refuse what only an attack holds."""
        piece = next(self._pieces, b"")
        self._taken += len(piece)
        place = self._stream.place
        if self._taken > MAX_DOCUMENT_BYTES:
            raise ReportError(f"more than {MAX_DOCUMENT_BYTES} bytes", expected="a smaller document", place=place)
        stretches = _BRACKET.split(self._tail + piece)
        if max(map(len, stretches)) > MAX_TOKEN_BYTES:
            raise ReportError(
                f"more than {MAX_TOKEN_BYTES} bytes without a < or >", expected="shorter tags and texts", place=place
            )
        self._tail = stretches[-1]
        return piece


def _local(tag: Any) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _degrees(text: str | None) -> float | None:
    # "Missing" and "no number" are told apart only for the reason: both are refused.
    if text is None or text.strip().lower() in ("", "nan"):
        return NAN
    return float(text) if _NUMBER.fullmatch(text.strip()) else None


def _float(text: str | None) -> float:
    return float(text) if text and _NUMBER.fullmatch(text) else NAN
