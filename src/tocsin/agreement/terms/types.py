"""Types: the kinds of value that a key of the agreement may have, as annotations.

`source/read.py` reads by them, `schema.py` publishes them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Annotated, Any, TypeAlias

from msgspec import Struct

from tocsin.agreement.terms.state import T
from tocsin.units import (
    METRES,
    METRES_PER_SECOND,
    SECONDS,
    parse_duration_s,
    parse_length_m,
    parse_speed_mps,
)


class Record(Struct, frozen=True, kw_only=True):
    """A section of the agreement.

    Attributes
    ----------
    path : str
        Where it stands, such as `zones[0]`; `Agreement.where` turns it into file and line.
    """

    path: str = ""


class Quantity(Enum):
    """A number with a unit: the suffix of its field, the units its key may end in, and its reader."""

    LENGTH = ("length", "_m", ("m", "km", "nmi", "ft"), parse_length_m, METRES)
    SPEED = ("speed", "_mps", ("mps", "kn", "kmh"), parse_speed_mps, METRES_PER_SECOND)
    HEIGHT = ("height", "_m", ("m", "km", "nmi", "ft"), parse_length_m, METRES)
    """As a length, and may be negative."""
    DURATION = ("duration", "_s", ("s", "min", "h"), parse_duration_s, SECONDS)

    def __init__(
        self,
        noun: str,
        suffix: str,
        key_units: tuple[str, ...],
        parse: Callable[[object], float],
        units: dict[str, float],
    ) -> None:
        self.noun = noun
        self.suffix = suffix
        self.key_units = key_units
        self.parse = parse
        self.units = units


class Kind(Enum):
    """Values that are neither a quantity nor a plain scalar."""

    INSTANT = "_us"
    """RFC 3339 with its offset, kept as microseconds UTC."""
    DAY = ""
    """A calendar day, `2031-04-02`."""
    TIME_OF_DAY = "_min"
    """A local time, `06:00` to `24:00`, kept as minutes from midnight."""
    ID = "id"
    """A letter, then letters, digits, `_`, `-` and `.`; at most 64."""
    TIME_ZONE = "zone"
    """A zone of the IANA database, such as `Asia/Damascus`."""
    WORDS = "words"
    """A list of texts, or one text standing for a list of one."""
    JSON = "json"
    """Anything, kept as written."""


class Collected(Struct, frozen=True):
    """A mapping gathered from every key that matches a pattern, a unit at its end left out."""

    pattern: str


class Inner(Struct, frozen=True):
    """Marks a field that is no key of the file."""


class Vague(Struct, frozen=True):
    """A length that somebody left open ("about 55 km", "15-20 km"): legal to write, found by GEO-03, never compiled."""

    text: str


LengthM: TypeAlias = Annotated[float, Quantity.LENGTH]
SpeedMps: TypeAlias = Annotated[float, Quantity.SPEED]
Seconds: TypeAlias = Annotated[float, Quantity.DURATION]
HeightM: TypeAlias = Annotated[float, Quantity.HEIGHT]
VagueLengthM: TypeAlias = Annotated[float | Vague, Quantity.LENGTH]
InstantUs: TypeAlias = Annotated[int, Kind.INSTANT]
Day: TypeAlias = Annotated[date, Kind.DAY]
TimeOfDay: TypeAlias = Annotated[int, Kind.TIME_OF_DAY]
Id: TypeAlias = Annotated[str, Kind.ID]
TimeZone: TypeAlias = Annotated[str, Kind.TIME_ZONE]
Words: TypeAlias = Annotated[tuple[str, ...], Kind.WORDS]
Json: TypeAlias = Annotated[Any, Kind.JSON]
Hidden: TypeAlias = Annotated[T, Inner()]
