"""The notice and what is said about it afterwards, as frozen records (`tocsin-notice/1`, docs/format/notice.md).

Places are WGS84, latitude first; instants are microseconds UTC; lengths are metres. What a record says is kept word for
word and judged elsewhere: `check.py` and `places.py` flag it, `register.py` follows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from msgspec import Struct, field

from tocsin.agreement.notices.words import Act, Checked, NoticeKind, Receipt, RuleName
from tocsin.canon import digest
from tocsin.geo import shapes
from tocsin.geo.shapes import Edges, Region
from tocsin.units import format_instant, format_instant_if

FORMAT = "tocsin-notice/1"
"""The format's name and version."""

Position: TypeAlias = tuple[float, float]
"""Latitude, longitude, degrees."""


class Mover(Struct, frozen=True, kw_only=True):
    """Somebody or something that moves.

    Attributes
    ----------
    track_id : str or None
        Prefixed identity, as reports carry it; None where only a description is known.
    name, category, marking : str or None
        In words: what it is called, its kind, how it can be told from others.
    count : int
        How many, for a group without identities.
    """

    track_id: str | None = None
    name: str | None = None
    category: str | None = None
    marking: str | None = None
    count: int = 1

    def as_json(self) -> dict[str, Any]:
        """Return the mover as a JSON object."""
        return {
            "track": self.track_id,
            "name": self.name,
            "category": self.category,
            "marking": self.marking,
            "count": self.count,
        }


class Route(Struct, frozen=True, kw_only=True):
    """A way: within a half width of a line, the line's legs being geodesics."""

    line: tuple[Position, ...]
    half_width_m: float

    def as_json(self) -> dict[str, Any]:
        """Return the route as a JSON object."""
        return {"route": {"line": _positions(self.line), "half_width_m": self.half_width_m}}


class Area(Struct, frozen=True, kw_only=True):
    """What one ring surrounds; edges are straight in longitude and latitude, as RFC 7946 has them."""

    ring: tuple[Position, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the area as a JSON object."""
        return {"area": {"ring": _positions(self.ring)}}


class Around(Struct, frozen=True, kw_only=True):
    """Everything within a radius of a position: a site, or a roundish area."""

    at: Position
    radius_m: float

    def as_json(self) -> dict[str, Any]:
        """Return the circle as a JSON object."""
        return {"around": {"lat_deg": self.at[0], "lon_deg": self.at[1], "radius_m": self.radius_m}}


PlaceOf: TypeAlias = Route | Area | Around


@lru_cache(maxsize=4_096)
def region_of(place: PlaceOf) -> Region:
    """Return the closed area of a place.

    Raises
    ------
    ValueError
        If it is no area: a ring that crosses itself, a line too long, anything off the globe.
    """
    if isinstance(place, Around):
        return shapes.circle(place.at[0], place.at[1], place.radius_m)
    if isinstance(place, Area):
        return shapes.polygon([place.ring], Edges.PLANAR)
    return shapes.corridor([p[0] for p in place.line], [p[1] for p in place.line], place.half_width_m)


def positions_of(place: PlaceOf) -> tuple[Position, ...]:
    """Return the positions that a place is drawn by."""
    if isinstance(place, Around):
        return (place.at,)
    return place.line if isinstance(place, Route) else place.ring


class SiteOf(Struct, frozen=True, kw_only=True):
    """A fixed place in words: its id in the agreement, if it has one, and its name."""

    site_id: str | None = None
    name: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the site as a JSON object."""
        return {"id": self.site_id, "name": self.name}


class Consent(Struct, frozen=True, kw_only=True):
    """The giver lets one recipient see one notice, or takes that back.

    Attributes
    ----------
    notice : str
        The reference that it is about; empty inside the notice itself.
    party : str
        Whose notice it is.
    to : str
        The recipient, a party's id.
    by : str
        The person who says so.
    at_us, until_us : int, int or None
    taken_back : bool
    source : str
        Where it was read, `file:line`.
    """

    notice: str = ""
    party: str = ""
    to: str
    by: str
    at_us: int
    until_us: int | None = None
    taken_back: bool = False
    source: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the consent as a JSON object."""
        return {
            "to": self.to,
            "by": self.by,
            "at": format_instant(self.at_us),
            "until": format_instant_if(self.until_us),
            "taken_back": self.taken_back,
        }


class Verification(Struct, frozen=True, kw_only=True):
    """What somebody found who looked whether a site is where the notice says."""

    notice: str = ""
    party: str = ""
    status: Checked
    method: str = ""
    verifier: str = ""
    at_us: int
    source: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the verification as a JSON object."""
        return {
            "status": str(self.status),
            "method": self.method,
            "verifier": self.verifier,
            "at": format_instant(self.at_us),
        }


class ReceiptOf(Struct, frozen=True, kw_only=True):
    """Somebody says that a notice arrived somewhere. It says nothing else.

    Attributes
    ----------
    notice : str
        The reference.
    party : str
        Whose notice it is.
    receipt : Receipt
    by : str
        The person who says so.
    of : str or None
        The party of that person, who received it or passed it on.
    unit : str or None
        The unit that it was passed on to, or that read it; None for `received`.
    at_us : int
    """

    notice: str
    party: str
    receipt: Receipt
    by: str
    of: str | None = None
    unit: str | None = None
    at_us: int
    source: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the receipt as a JSON object."""
        return {
            "receipt": str(self.receipt),
            "by": self.by,
            "of": self.of,
            "unit": self.unit,
            "at": format_instant(self.at_us),
        }


class Notice(Struct, frozen=True, kw_only=True):
    """One submission of a notice.

    Attributes
    ----------
    reference : str
        The giver's own; with the party it names the notice.
    rule : RuleName
        The section of the agreement's `notices` that it is given under.
    kind : NoticeKind
    act : Act
    replaces : str or None
        The reference of the notice that a change, cancellation, withdrawal or confirmation is about.
    party : str
        For whom it is given.
    given_by : str
        The person who gives it.
    given_us : int
        When, as the giver says.
    entered_us : int or None
        When it reached this system, where that was seen: then no earlier time counts.
    movers : tuple of Mover
    place : Route, Area, Around or None
    site : SiteOf or None
    from_us, to_us : int or None
        Half-open.
    content : mapping of str to str
        Further content by the agreement's words, such as `gear` or `contact`.
    reason : str
        For short notice, change or cancellation.
    verification : Verification or None
        Of a site, as far as it was done when the notice was given.
    consents : tuple of Consent
    source : str
        Where it was read, `file:line`.
    """

    reference: str
    rule: RuleName
    kind: NoticeKind
    act: Act = Act.GIVE
    replaces: str | None = None
    party: str
    given_by: str
    given_us: int
    entered_us: int | None = None
    movers: tuple[Mover, ...] = ()
    place: PlaceOf | None = None
    site: SiteOf | None = None
    from_us: int | None = None
    to_us: int | None = None
    content: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    verification: Verification | None = None
    consents: tuple[Consent, ...] = ()
    source: str = ""

    @property
    def notice_id(self) -> str:
        """The notice's name: the party's and its own reference."""
        return f"{self.party}/{self.reference}"

    @property
    def at_us(self) -> int:
        """When it was given, or reached this system if that was later."""
        return self.given_us if self.entered_us is None else max(self.given_us, self.entered_us)

    @property
    def content_hash(self) -> str:
        """SHA-256 of what it tells, in hexadecimal: not of its reference, who gave it, when, or to whom it goes."""
        return digest(content_json(self)).hex()

    def as_json(self) -> dict[str, Any]:
        """Return the notice as a JSON object; missing values are null."""
        return {
            "notice": self.notice_id,
            "act": str(self.act),
            "replaces": self.replaces,
            "given_by": self.given_by,
            "given_at": format_instant(self.given_us),
            "entered_at": format_instant_if(self.entered_us),
            "reason": self.reason,
            "content_hash": self.content_hash,
            "verification": self.verification.as_json() if self.verification else None,
            "consents": [consent.as_json() for consent in self.consents],
            **content_json(self),
        }


def content_json(notice: Notice) -> dict[str, Any]:
    """Return what a notice tells, as a JSON object: movers in one order, so that their order means nothing."""
    movers = sorted((m.as_json() for m in notice.movers), key=digest)
    return {
        "rule": str(notice.rule),
        "kind": str(notice.kind),
        "party": notice.party,
        "movers": movers,
        "place": notice.place.as_json() if notice.place else None,
        "site": notice.site.as_json() if notice.site else None,
        "from": format_instant_if(notice.from_us),
        "to": format_instant_if(notice.to_us),
        "content": dict(notice.content),
    }


Item: TypeAlias = Notice | ReceiptOf | Consent | Verification
"""Whatever a file of notices may hold, one by one."""


def _positions(line: tuple[Position, ...]) -> list[dict[str, float]]:
    return [{"lat_deg": lat, "lon_deg": lon} for lat, lon in line]
