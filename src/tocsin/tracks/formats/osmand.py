"""OsmAnd queries, as phones send them (OsmAnd online tracking, Traccar Client), into reports.

`id=truck-7&lat=33.5&lon=38.6&timestamp=1764237600&speed=12`, by the parameters of Traccar's OsmAnd protocol. One query
is one report; parameters that say nothing of the position (battery, driver, cells) are not used, and neither are
altitudes, since some phones mean the sea and others the ellipsoid. The unit of the speed is nowhere in the query: it is
a setting. A query without a time was true when it came, and is flagged so.

References
----------
https://www.traccar.org/osmand/; Android `Location.getAccuracy`: a radius of 68 %.
"""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import parse_qsl

from tocsin.clock import US_PER_S
from tocsin.errors import UnitError
from tocsin.tracks.formats.fixes import NAN, Fixes
from tocsin.tracks.formats.part import Part
from tocsin.tracks.identity import normal_id
from tocsin.tracks.quality import Flag, RejectReason
from tocsin.units import METRES_PER_SECOND, parse_instant_us

MAX_FIELDS = 64
"""Parameters of a query (P11); an app sends a dozen."""

SPEED_UNITS = ("kn", "mps", "km/h")
"""What the unit of `speed` may be: Traccar Client sends knots, OsmAnd metres per second."""

TO_95 = 1.62
"""A 95 % radius in 68 % radii, for errors that are normal in both directions: 2.448 / 1.515."""

_NUMBER = re.compile(r"[+-]?\d{1,12}(?:\.\d{0,18})?")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d{1,9})?|\d{12,13}")
_UTC = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,9})?")


class OsmAndQueries:
    """OsmAnd queries, one after the other, into reports.

    Parameters
    ----------
    file, feed : str
    party : str, optional
        Of every report.
    speed : str
        One of `SPEED_UNITS`.
    """

    def __init__(self, *, file: str, feed: str, party: str | None = None, speed: str = "kn") -> None:
        self._fresh = partial(Fixes, file=file, feed=feed, party=party)
        self._mps = METRES_PER_SECOND[speed]
        self.fixes = self._fresh()

    def __len__(self) -> int:
        return len(self.fixes)

    def take(self, text: bytes, line: int, arrived_us: int | None = None) -> None:
        """Read one query.

        Parameters
        ----------
        text : bytes
            Percent-encoded, with or without the `?`.
        line : int
            Its number, from 1.
        arrived_us : int, optional
            When it came.
        """
        try:
            pairs = parse_qsl(
                text.decode().removeprefix("/").removeprefix("?"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=MAX_FIELDS,
            )
        except ValueError as error:
            self.fixes.reject(line, RejectReason.UNPARSABLE, text, str(error))
            return
        given = dict(pairs)
        if len(given) < len(pairs):
            self.fixes.reject(line, RejectReason.UNPARSABLE, text, "a parameter twice")
            return
        self._report(given, text, line, arrived_us)

    def cut(self) -> None:
        """Note that the connection ended; every query stands alone, so nothing waits."""

    def drain(self) -> Part:
        """Return what was read since the last call."""
        part = self.fixes.part()
        self.fixes = self._fresh()
        return part

    def _report(self, given: dict[str, str], text: bytes, line: int, arrived_us: int | None) -> None:
        name = given.get("id") or given.get("deviceid") or ""
        track = normal_id(name)
        lat_text, comma, lon_text = given.get("location", "").partition(",")
        lat, lon = (_float(t) for t in ((lat_text, lon_text) if comma else (given.get("lat"), given.get("lon"))))
        when = given.get("timestamp")
        at = arrived_us if not when else _instant_us(when)
        if track is None:
            self.fixes.reject(line, RejectReason.BAD_IDENTITY if name else RejectReason.NO_IDENTITY, text)
        elif lat is None or lon is None:
            self.fixes.reject(line, RejectReason.BAD_NUMBER, text)
        elif given.get("valid", "true").lower() in ("false", "0"):
            self.fixes.reject(line, RejectReason.NOT_A_POSITION, text, "the phone has no fix")
        elif at is None:
            reason = RejectReason.BAD_TIME if when else RejectReason.NO_TIME
            self.fixes.reject(line, reason, text, f"timestamp {when}")
        else:
            speed, course, accuracy = (
                _float(t)
                for t in (given.get("speed"), given.get("bearing", given.get("heading")), given.get("accuracy"))
            )
            unusable = [n for n, v in (("speed", speed), ("course", course), ("accuracy", accuracy)) if v is None]
            doubt = (Flag.BAD_OPTIONAL, ", ".join(unusable)) if unusable else None
            self.fixes.accept(
                line,
                text,
                track=track,
                observed_us=at,
                received_us=arrived_us,
                lat=lat,
                lon=lon,
                sog=NAN if speed is None else speed * self._mps,
                cog=NAN if course is None or course < 0 else course,
                accuracy=NAN if accuracy is None else accuracy * TO_95,
                doubt=doubt if when else (Flag.ARRIVAL_TIME, ""),
            )


def _float(text: str | None) -> float | None:
    if not text:
        return NAN
    return float(text) if _NUMBER.fullmatch(text) else None


def _instant_us(text: str) -> int | None:
    if _EPOCH.fullmatch(text):
        return int(text) * 1_000 if len(text) >= 12 and "." not in text else round(float(text) * US_PER_S)
    try:
        # The protocol says that a time without a zone is UTC.
        return parse_instant_us(f"{text}Z" if _UTC.fullmatch(text) else text)
    except UnitError:
        return None
