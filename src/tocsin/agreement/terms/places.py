"""Places and times: sites, zones, their shapes, bands and windows.

Same rules as `model.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from tocsin.agreement.terms.state import Maybe
from tocsin.agreement.terms.types import (
    Day,
    HeightM,
    Id,
    InstantUs,
    Json,
    LengthM,
    Record,
    Seconds,
    TimeOfDay,
    TimeZone,
    VagueLengthM,
    Words,
)
from tocsin.errors import Place
from tocsin.geo.shapes import Edges


class Domain(StrEnum):
    """Where things move."""

    LAND = "land"
    SEA = "sea"
    SEABED = "seabed"
    AIR = "air"


class Weekday(StrEnum):
    """Days of the week, as Python numbers them."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class Datum(StrEnum):
    """What an altitude is counted from."""

    HAE = "hae"
    """The WGS84 ellipsoid."""
    MSL = "msl"
    """Mean sea level."""
    AGL = "agl"
    """The ground below."""


class Site(Record, frozen=True, kw_only=True):
    """A fixed place that is protected or lived in."""

    id: Id
    name: Maybe[str] = None
    aliases: Maybe[Words] = None
    feature: Maybe[str] = None
    kind: Maybe[str] = None
    protected_by: Maybe[str] = None
    access: Maybe[Json] = None


class Position(Record, frozen=True, kw_only=True):
    """A point written in the agreement itself, degrees WGS84."""

    lat_deg: float
    lon_deg: float


class Circle(Record, frozen=True, kw_only=True):
    """A geodesic circle. `centre` is a site, a Point feature, or a position."""

    centre: Maybe[str | Position] = None
    radius_m: Maybe[VagueLengthM] = None
    if_moved: Maybe[str] = None
    """What happens to the ring when its centre moves (`stays`, `follows`, `new_version`)."""


class CorridorOf(Record, frozen=True, kw_only=True):
    """Everything within a half width of a line. `line` is a site or a LineString feature."""

    line: Maybe[str] = None
    half_width_m: Maybe[VagueLengthM] = None


class Sector(Record, frozen=True, kw_only=True):
    """A slice of a circle, clockwise from one azimuth to the other, degrees from true north."""

    centre: Maybe[str | Position] = None
    radius_m: Maybe[VagueLengthM] = None
    from_deg: Maybe[float] = None
    to_deg: Maybe[float] = None


class Geometry(Record, frozen=True, kw_only=True):
    """The shape of a zone, as agreed: exactly one of its forms."""

    circle: Maybe[Circle] = None
    corridor: Maybe[CorridorOf] = None
    polygon: Maybe[str] = None
    """A site or feature of type Polygon or MultiPolygon."""
    sector: Maybe[Sector] = None
    type: str | None = None
    """With `coordinates`: GeoJSON written in the agreement itself (Polygon or MultiPolygon)."""
    coordinates: Json | None = None
    edges: Maybe[Edges] = None
    """What a straight edge of a polygon means; planar (straight in longitude and latitude) unless said."""


class Altitude(Record, frozen=True, kw_only=True):
    """A band of altitude and what it is counted from."""

    floor_m: Maybe[HeightM] = None
    ceiling_m: Maybe[HeightM] = None
    datum: Maybe[Datum] = None


class Depth(Record, frozen=True, kw_only=True):
    """A band of depth below the surface; the watch sees the surface above it."""

    from_m: Maybe[LengthM] = None
    to_m: Maybe[LengthM] = None


class Weekly(Record, frozen=True, kw_only=True):
    """A window that comes back: on these days, from a local time to another, past midnight if `to` is not later."""

    days: Maybe[tuple[Weekday, ...]] = None
    from_min: Maybe[TimeOfDay] = None
    to_min: Maybe[TimeOfDay] = None
    zone: Maybe[TimeZone] = None


class Span(Record, frozen=True, kw_only=True):
    """A window that comes once."""

    from_us: Maybe[InstantUs] = None
    to_us: Maybe[InstantUs] = None


ALWAYS = "always"

Window: TypeAlias = str | Weekly | Span
"""`always`, or a weekly window (it has `days`), or a span of instants."""


class LocalForces(Record, frozen=True, kw_only=True):
    """Who may bear arms inside: the list, and who vets it."""

    roster: Maybe[Json] = None
    vetted_by: Maybe[str] = None


class Clear(Record, frozen=True, kw_only=True):
    """How far outside, and for how long, before an exit is certain: warn early, clear late."""

    distance_m: Maybe[LengthM] = None
    for_s: Maybe[Seconds] = None


class Zone(Record, frozen=True, kw_only=True):
    """An area, an altitude band and a time, and whom it binds."""

    id: Id
    name: Maybe[str] = None
    kind: Maybe[str] = None
    geometry: Maybe[Geometry] = None
    uncertainty_m: Maybe[LengthM] = None
    domains: Maybe[tuple[Domain, ...]] = None
    altitude: Maybe[Altitude] = None
    depth: Maybe[Depth] = None
    classes: Maybe[Words] = None
    applies_to: Maybe[Words] = None
    exempt: Maybe[Words] = None
    windows: Maybe[tuple[Window, ...]] = None
    precedence: Maybe[int] = None
    """Where zones overlap, the higher number goes before."""
    marked: Maybe[Json] = None
    charted: Maybe[Json] = None
    clip: Maybe[Json] = None
    clear: Maybe[Clear] = None
    effective_from_us: Maybe[InstantUs] = None
    local_forces: Maybe[LocalForces] = None
    reconnaissance: Maybe[str] = None

    @property
    def is_exemption(self) -> bool:
        """True for a zone that lifts the others instead of binding anybody."""
        return self.kind == "exempt"


class DomainsOut(Record, frozen=True, kw_only=True):
    """Domains that no zone covers, declared out."""

    land: Maybe[Json] = None
    sea: Maybe[Json] = None
    seabed: Maybe[Json] = None
    air: Maybe[Json] = None


class StatusQuo(Record, frozen=True, kw_only=True):
    """Where everybody stood, on which day, on which map."""

    as_of: Maybe[InstantUs | Day] = None
    map: Maybe[str] = None


class Feature(Struct, frozen=True, kw_only=True):
    """One GeoJSON feature, its coordinates still longitude first (RFC 7946)."""

    id: str
    kind: str
    coordinates: Json
    properties: Mapping[str, Json]
    place: Place
