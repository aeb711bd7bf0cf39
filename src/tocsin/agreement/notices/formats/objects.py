"""What an object of a notice holds, key by key, and the record that it stands for; `door.py` is the way in.

Implements docs/format/notice.md. Unknown keys are refused, so that a misspelt `replaces` cannot make a change look like
a new notice. Quantities carry their unit, instants their offset; positions are named (`lat_deg`, `lon_deg`), so that
no order can be mistaken. Judges nothing: whether a notice is late or far away is for `check.py` and `places.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from msgspec.structs import replace
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from tocsin.agreement.notices.formats.door import Sort
from tocsin.agreement.notices.notice import (
    Area,
    Around,
    Consent,
    Item,
    Mover,
    Notice,
    PlaceOf,
    ReceiptOf,
    Route,
    SiteOf,
    Verification,
    region_of,
)
from tocsin.agreement.notices.words import Act, Checked, NoticeKind, Receipt, RuleName
from tocsin.canon import canonical_bytes, digest
from tocsin.errors import UnitError
from tocsin.units import parse_instant_us, parse_length_m

MAX_POSITIONS = 10_000
"""Positions of one route or area (P11); a road of 1,000 km drawn every 100 m."""

MAX_MOVERS = 1_000
"""Movers of one notice (P11)."""

MAX_LENGTH_M = 1_000_000.0
"""The longest half width or radius that is taken, metres: beyond it a notice would cover a country."""

REFERENCE_DIGITS = 12
"""Hexadecimal digits of the content hash that stand in for a reference where none was given."""


def _instant_of(value: object) -> int:
    try:
        return parse_instant_us(value)
    except UnitError as error:
        raise ValueError(f"expected {error.expected}") from error


def _length_of(value: object) -> float:
    try:
        length_m = parse_length_m(value)
    except UnitError as error:
        raise ValueError(f"expected {error.expected}") from error
    if not 0 < length_m <= MAX_LENGTH_M:
        raise ValueError(f"expected a length above zero and up to {MAX_LENGTH_M / 1000:,.0f} km")
    return length_m


_Text = Annotated[str, Field(min_length=1, max_length=500)]
_Long = Annotated[str, Field(max_length=5_000)]
_Ref = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
_Named = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}(~[0-9]{1,6})?$")]
"""A reference as the register has it: one that was used twice carries a number."""
_Id = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
_Track = Annotated[str, Field(pattern=r"^(mmsi|icao24|cot|dev):\S(.{0,98}\S)?$", max_length=110)]
_Instant = Annotated[int, BeforeValidator(_instant_of)]
_Length = Annotated[float, BeforeValidator(_length_of)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)  # a start needs none of them


class _Position(_Strict):
    lat_deg: Annotated[float, Field(allow_inf_nan=False)]
    lon_deg: Annotated[float, Field(allow_inf_nan=False)]

    @model_validator(mode="after")
    def _on_the_globe(self) -> _Position:
        if not (-90 <= self.lat_deg <= 90 and -180 <= self.lon_deg <= 180):
            swapped = abs(self.lat_deg) > 90 and abs(self.lon_deg) <= 90 and abs(self.lat_deg) <= 180
            hint = " (are the two swapped?)" if swapped else ""
            raise ValueError(f"expected latitude within ±90° and longitude within ±180°{hint}")
        return self


class _Mover(_Strict):
    track: _Track | None = None
    name: _Text | None = None
    category: _Text | None = None
    marking: _Text | None = None
    count: Annotated[int, Field(ge=1, le=100_000)] = 1

    @model_validator(mode="after")
    def _somebody(self) -> _Mover:
        if not (self.track or self.name or self.category):
            raise ValueError("expected a track, a name or a category")
        return self


class _Route(_Strict):
    line: Annotated[list[_Position], Field(min_length=2, max_length=MAX_POSITIONS)]
    half_width: _Length


class _Area(_Strict):
    ring: Annotated[list[_Position], Field(min_length=3, max_length=MAX_POSITIONS)]


class _Around(_Position):
    radius: _Length


class _Site(_Strict):
    id: _Id | None = None
    name: _Text | None = None

    @model_validator(mode="after")
    def _named(self) -> _Site:
        if not (self.id or self.name):
            raise ValueError("expected an id or a name")
        return self


class _Checked(_Strict):
    status: Annotated[Checked, Field(strict=False)]
    method: _Long = ""
    verifier: _Long = ""
    at: _Instant


class _Consented(_Strict):
    to: _Id
    by: _Text
    at: _Instant
    until: _Instant | None = None
    taken_back: bool = False


class _Notice(_Strict):
    reference: _Ref | None = None
    rule: Annotated[RuleName, Field(strict=False)] | None = None
    kind: Annotated[NoticeKind, Field(strict=False)] = NoticeKind.MOVEMENT
    act: Annotated[Act, Field(strict=False)] = Act.GIVE
    replaces: _Named | None = None
    party: _Id
    given_by: _Text
    given_at: _Instant
    movers: Annotated[list[_Mover], Field(max_length=MAX_MOVERS)] = []
    route: _Route | None = None
    area: _Area | None = None
    around: _Around | None = None
    site: _Site | None = None
    from_: Annotated[_Instant | None, Field(alias="from")] = None
    to: _Instant | None = None
    content: Annotated[dict[_Id, _Long], Field(max_length=100)] = {}
    reason: _Long = ""
    verification: _Checked | None = None
    consents: Annotated[list[_Consented], Field(max_length=1_000)] = []

    @model_validator(mode="after")
    def _whole(self) -> _Notice:
        if sum(p is not None for p in (self.route, self.area, self.around)) > 1:
            raise ValueError("expected one of route, area and around")
        if (self.act is Act.GIVE) != (self.replaces is None):
            wanted = "no `replaces`" if self.act is Act.GIVE else "`replaces`: the reference that it is about"
            raise ValueError(f"found act {self.act}, expected {wanted}")
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise ValueError("expected from before to")
        if self.kind is NoticeKind.SITE and self.act in (Act.GIVE, Act.CHANGE) and self.site is None:
            raise ValueError("expected a site: its id or its name")
        return self


class _Receipt(_Strict):
    notice: _Named
    party: _Id
    receipt: Annotated[Receipt, Field(strict=False)]
    by: _Text
    of: _Id | None = None
    unit: _Id | None = None
    at: _Instant

    @model_validator(mode="after")
    def _of_a_unit(self) -> _Receipt:
        if (self.receipt is Receipt.RECEIVED) != (self.unit is None):
            wanted = "no unit" if self.receipt is Receipt.RECEIVED else "the unit"
            raise ValueError(f"found receipt {self.receipt}, expected {wanted}")
        return self


class _ConsentOf(_Consented):
    notice: _Named
    party: _Id


class _CheckedOf(_Checked):
    notice: _Named
    party: _Id


def read_object(value: object, *, source: str, sort: Sort) -> Item:
    """Return the record that an object stands for; see `door.item`."""
    canonical_bytes(value)  # refuses what no other party's reader would take
    try:
        return _READ[sort](value, source)
    except ValidationError as error:
        raise ValueError("; ".join(_refusal(detail) for detail in error.errors())) from error


def _read_notice(value: object, source: str) -> Notice:
    told = _Notice.model_validate(value)
    rule = told.rule or (RuleName.HUMANITARIAN if told.kind is NoticeKind.SITE else RuleName.MOVEMENT)
    found = Notice(
        reference=told.reference or "",
        rule=rule,
        kind=told.kind,
        act=told.act,
        replaces=told.replaces,
        party=told.party,
        given_by=told.given_by,
        given_us=told.given_at,
        movers=tuple(
            Mover(track_id=m.track, name=m.name, category=m.category, marking=m.marking, count=m.count)
            for m in told.movers
        ),
        place=_place(told),
        site=SiteOf(site_id=told.site.id, name=told.site.name) if told.site else None,
        from_us=told.from_,
        to_us=told.to,
        content=dict(told.content),
        reason=told.reason,
        verification=_verification(told.verification) if told.verification else None,
        consents=tuple(_consent(consent) for consent in told.consents),
        source=source,
    )
    if found.place is not None:
        region_of(found.place)  # a place that is no area is refused here, where its giver can be told
    return found if found.reference else _named(found)


def _named(notice: Notice) -> Notice:
    """Give a notice without a reference one that its content makes: the same content, the same name."""
    parts = [notice.content_hash, str(notice.act), notice.replaces or ""]
    return replace(notice, reference=f"n{digest(parts).hex()[:REFERENCE_DIGITS]}")


def _place(told: _Notice) -> PlaceOf | None:
    if told.route is not None:
        return Route(line=_line(told.route.line), half_width_m=told.route.half_width)
    if told.area is not None:
        ring = _line(told.area.ring)
        return Area(ring=ring if ring[0] == ring[-1] else (*ring, ring[0]))
    if told.around is not None:
        return Around(at=(told.around.lat_deg, told.around.lon_deg), radius_m=told.around.radius)
    return None


def _line(positions: list[_Position]) -> tuple[tuple[float, float], ...]:
    return tuple((p.lat_deg, p.lon_deg) for p in positions)


def _verification(told: _Checked) -> Verification:
    return Verification(status=told.status, method=told.method, verifier=told.verifier, at_us=told.at)


def _consent(told: _Consented) -> Consent:
    return Consent(to=told.to, by=told.by, at_us=told.at, until_us=told.until, taken_back=told.taken_back)


def _read_receipt(value: object, source: str) -> ReceiptOf:
    told = _Receipt.model_validate(value)
    return ReceiptOf(
        notice=told.notice,
        party=told.party,
        receipt=told.receipt,
        by=told.by,
        of=told.of,
        unit=told.unit,
        at_us=told.at,
        source=source,
    )


def _read_consent(value: object, source: str) -> Consent:
    told = _ConsentOf.model_validate(value)
    return Consent(
        notice=told.notice,
        party=told.party,
        to=told.to,
        by=told.by,
        at_us=told.at,
        until_us=told.until,
        taken_back=told.taken_back,
        source=source,
    )


def _read_verification(value: object, source: str) -> Verification:
    told = _CheckedOf.model_validate(value)
    return Verification(
        notice=told.notice,
        party=told.party,
        status=told.status,
        method=told.method,
        verifier=told.verifier,
        at_us=told.at,
        source=source,
    )


_READ: dict[Sort, Callable[[object, str], Item]] = {
    Sort.NOTICE: _read_notice,
    Sort.RECEIPT: _read_receipt,
    Sort.CONSENT: _read_consent,
    Sort.VERIFICATION: _read_verification,
}


def _refusal(detail: Any) -> str:
    where = ".".join(map(str, detail["loc"]))
    said = str(detail["msg"]).removeprefix("Value error, ")
    said = said[:1].lower() + said[1:]
    if detail["type"] == "extra_forbidden":
        return f"{where}: no key of this format"
    if detail["type"] in {"model_type", "model_attributes_type"}:
        return f"{where or 'it'}: found {ascii(detail['input'])[:60]}, expected an object"
    if detail["type"] == "missing":
        return f"{where}: {said}"
    found = ascii(detail["input"])[:60] if not isinstance(detail["input"], dict) else ""
    return f"{where}: {f'found {found}, ' if found else ''}{said}" if where else said
