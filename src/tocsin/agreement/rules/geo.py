"""GEO: geography. A zone is a shape with a width, a height and an edge that both sides can find."""

from __future__ import annotations

from collections.abc import Iterator

import shapely.geometry

from tocsin.agreement.extent import overlaps, widths_m
from tocsin.agreement.geometry import feature_of
from tocsin.agreement.model import Agreement
from tocsin.agreement.rules.check import Gap, Severity, View, check, listed
from tocsin.agreement.terms.places import Datum, Domain, Zone
from tocsin.agreement.terms.state import State, given
from tocsin.agreement.terms.types import Vague
from tocsin.errors import AgreementError
from tocsin.geo.shapes import Region

UNCERTAINTY_SHARE = 0.1
"""The share of its width that a zone's uncertainty must stay under: past it nobody knows which side a fix is on."""

CIVIL_KINDS = frozenset({
    "civilian", "camp", "settlement", "village", "town", "hospital", "clinic", "school", "shelter", "water", "worship",
})  # fmt: skip
"""Kinds of sites where civilians live or are cared for."""

LINE_KINDS = ("separation", "limitation")
"""Kinds of zones between forces: a status quo has a day and a map."""


@check(
    "GEO-01",
    "geometry, not a name",
    severity=Severity.ERROR,
    keys=("zones", "zones[].geometry", "geojson"),
    fix="""
geojson: zones.geojson
zones:
  - {id: ring, geometry: {circle: {centre: garrison, radius: 55 km}}}
""",
)
def geometry(view: View) -> Iterator[Gap]:
    """Find zones that cannot be drawn."""
    yield from view.need("zones", "The agreement", "any zone")
    seen: set[str] = set()
    for zone in view.zones:
        if zone.id in seen:
            yield view.odd(zone.path, f"Two zones have the id {zone.id}, so no event can name one of them.")
        seen.add(zone.id)
        region = view.regions[zone.id]
        if isinstance(region, AgreementError) and not _is_open_width(zone):
            states = [view.agreement.state(path) for path in (f"{zone.path}.geometry", "geojson")]
            state = State.NOT_SET if State.NOT_SET in states else states[0]
            found = f"Zone {zone.id}: its geometry does not resolve (found {region.found}, expected {region.expected})."
            yield Gap(State.INCONSISTENT if state is State.SET else state, f"{zone.path}.geometry", found)
    for site in given(view.agreement.sites) or ():
        name = given(site.feature)
        if name is not None and name not in view.agreement.by_feature:
            yield view.odd(f"{site.path}.feature", f"Site {site.id}: feature {name} is drawn nowhere.")


@check(
    "GEO-02",
    "datum, order, uncertainty",
    severity=Severity.ERROR,
    keys=("zones[].uncertainty",),
    fix="""
zones:
  - {id: ring, uncertainty: 50 m}
""",
)
def uncertainty(view: View) -> Iterator[Gap]:
    """Find zones whose uncertainty is missing or a tenth of the width or more, and coordinates that are not WGS84."""
    if view.agreement.crs is not None:
        name = view.agreement.crs
        yield view.odd(
            "geojson", f"The GeoJSON names the reference system {name}; only WGS84 longitude, latitude is read."
        )
    for zone in view.zones:
        yield from view.need_of(zone, "uncertainty", f"Zone {zone.id}", "how well its edge is known (uncertainty)")
    drawn = [(z, r) for z in view.zones if isinstance(r := view.regions[z.id], Region)]
    widths = widths_m([zone for zone, _ in drawn], [region for _, region in drawn])
    for (zone, _), width in zip(drawn, widths, strict=True):
        uncertain = given(zone.uncertainty_m)
        if uncertain is None:
            continue
        who, path = f"Zone {zone.id}", f"{zone.path}.uncertainty"
        if uncertain >= UNCERTAINTY_SHARE * width:
            yield view.odd(
                path, f"{who}: its uncertainty of {uncertain:g} m is not under a tenth of its width of {width:.0f} m."
            )
        anchor = _anchor_uncertainty_m(view.agreement, zone)
        if anchor is not None and uncertain < anchor:
            yield view.odd(
                path, f"{who}: its uncertainty of {uncertain:g} m is under the {anchor:g} m of the feature it hangs on."
            )


@check(
    "GEO-03",
    "fixed widths",
    severity=Severity.ERROR,
    keys=("zones[].geometry.circle.radius", "zones[].geometry.corridor.half_width", "zones[].geometry.sector.radius"),
    fix="""
zones:
  - {id: ring, geometry: {circle: {centre: garrison, radius: 55 km}}}
""",
)
def fixed_widths(view: View) -> Iterator[Gap]:
    """Find radii and widths that are a range, an "about", or no number at all."""
    for zone in view.zones:
        for key, name, told in _widths(zone):
            path = f"{zone.path}.geometry.{key}"
            if isinstance(told, Vague):
                yield view.odd(path, f"Zone {zone.id}: its {name} is {told.text!r}, which is no number.")
            else:
                yield from view.need(path, f"Zone {zone.id}", f"its {name}")


@check(
    "GEO-04",
    "all domains",
    severity=Severity.ERROR,
    keys=("zones[].domains", "domains_out", "domains_out.air", "domains_out.land"),
    fix="""
domains_out: {air: not_applicable, sea: not_applicable}
""",
)
def all_domains(view: View) -> Iterator[Gap]:
    """Find domains that no zone covers and nobody declared out, and zones that name none."""
    for zone in view.zones:
        yield from view.need_of(zone, "domains", f"Zone {zone.id}", "whether it is on land, at sea or in the air")
    zoned = {domain for zone in view.bound for domain in given(zone.domains) or ()}
    out = given(view.agreement.domains_out)
    state = view.agreement.state("domains_out")
    if not view.zones or state is State.NOT_APPLICABLE:
        return
    missing = [d for d in (Domain.AIR, Domain.LAND, Domain.SEA) if d not in zoned]
    for domain in missing if out is not None else ():
        yield from view.need(
            f"domains_out.{domain}", "The agreement", f"that {domain}, which no zone covers, is left out"
        )
    if out is None and missing:
        what = listed(missing)
        message = f"No zone covers {what}, and nothing declares {'them' if len(missing) > 1 else 'it'} out."
        yield Gap(state, "domains_out", message)


@check(
    "GEO-05",
    "altitude and classes",
    severity=Severity.WARNING,
    keys=("zones[].altitude", "zones[].depth", "zones[].classes"),
    fix="""
zones:
  - {id: air, altitude: {floor: 0 m, ceiling: 3000 m, datum: hae}, classes: [drone, aircraft]}
""",
)
def altitude(view: View) -> Iterator[Gap]:
    """Find zones in the air without floor, ceiling and datum, under the sea without depth, or without classes."""
    for zone in view.bound:
        who = f"Zone {zone.id}"
        domains = given(zone.domains) or ()
        told = given(zone.altitude)
        if told is not None:
            for key in ("floor", "ceiling", "datum"):
                yield from view.need_of(told, key, who, f"the {key} of its altitude")
            datum = given(told.datum)
            if datum in (Datum.MSL, Datum.AGL):
                effect = "is widened by the limits of the geoid" if datum is Datum.MSL else "is not used at all"
                message = (
                    f"{who} counts its altitude from {datum}, for which there is no model here; its band {effect}."
                )
                yield view.odd(f"{told.path}.datum", message)
        elif Domain.AIR in domains or zone.altitude is not None:
            yield from view.need_of(zone, "altitude", who, "its altitude")
        if Domain.SEABED in domains:
            yield from view.need_of(zone, "depth", who, "its depth")
    for zone in view.zones:
        does = "exempts" if zone.is_exemption else "binds"
        yield from view.need_of(zone, "classes", f"Zone {zone.id}", f"which classes of movers it {does}")


@check(
    "GEO-06",
    "anchor of a ring",
    severity=Severity.WARNING,
    keys=("zones[].geometry.circle.if_moved",),
    fix="""
zones:
  - {id: ring, geometry: {circle: {centre: garrison, radius: 55 km, if_moved: new_version}}}
# and in the GeoJSON: "properties": {"survey": "2031-03"} at the feature of the centre
""",
)
def anchors(view: View) -> Iterator[Gap]:
    """Find rings and corridors that hang on a point or line nobody surveyed, or that may move without a rule."""
    for zone in view.zones:
        told = given(zone.geometry)
        circle, corridor = (given(told.circle), given(told.corridor)) if told else (None, None)
        name = given(circle.centre) if circle else given(corridor.line) if corridor else None
        feature = feature_of(view.agreement, name) if isinstance(name, str) else None
        if feature is not None and not feature.properties.get("survey"):
            path = f"{zone.path}.geometry"
            yield Gap(
                State.SILENT, path, f"Zone {zone.id}: no survey of {feature.id}, which it is measured from, is named."
            )
        if circle is not None:
            yield from view.need_of(circle, "if_moved", f"Zone {zone.id}", "what happens when its centre moves")


@check(
    "GEO-07",
    "overlap and precedence",
    severity=Severity.WARNING,
    keys=("zones[].precedence",),
    fix="""
zones:
  - {id: guard, precedence: 2}
  - {id: outer, precedence: 1}
""",
)
def precedence(view: View) -> Iterator[Gap]:
    """Find zones that overlap in place, height and domain without a number that says which goes before."""
    regions = {name: region for name, region in view.regions.items() if isinstance(region, Region)}
    by_id = {zone.id: zone for zone in view.zones}
    pairs = [
        (a, b)
        for a, b in overlaps({n: r for n, r in regions.items() if n in by_id})
        if do_meet(by_id[a], by_id[b]) and not are_ordered(by_id[a], by_id[b])
    ]
    for cluster in clusters_of(pairs):
        path = f"{by_id[cluster[0]].path}.precedence"
        states = {view.agreement.state(f"{by_id[name].path}.precedence") for name in cluster}
        state = next((s for s in (State.SILENT, State.NOT_SET, State.DISPUTED) if s in states), State.INCONSISTENT)
        yield Gap(state, path, f"Zones {listed(cluster)} overlap without a precedence that says which goes before.")


@check(
    "GEO-08",
    "protected sites inside",
    severity=Severity.WARNING,
    keys=("sites[].access", "sites[].feature"),
    fix="""
sites:
  - {id: camp, kind: civilian, access: {by: aid_cell, through: access_road, notice: humanitarian}}
""",
)
def sites_inside(view: View) -> Iterator[Gap]:
    """Find civil sites inside a zone for which no rule of access is set."""
    for site in sorted(given(view.agreement.sites) or (), key=lambda s: s.id):
        yield from view.need_of(site, "feature", f"Site {site.id}", "where it is")
        feature = feature_of(view.agreement, site.id)
        if given(site.kind) not in CIVIL_KINDS or feature is None:
            continue
        inside = [z.id for z in view.bound if _touches(view.regions[z.id], feature.kind, feature.coordinates)]
        if inside:
            yield from view.need_of(
                site, "access", f"Site {site.id} (inside {listed(inside)})", "who may reach it, and how"
            )


@check(
    "GEO-09",
    "made visible",
    severity=Severity.WARNING,
    keys=("zones[].charted", "zones[].marked"),
    fix="""
zones:
  - {id: ring, marked: {how: signs on the road, by: "2031-05-01"}, charted: true}
""",
)
def visible(view: View) -> Iterator[Gap]:
    """Find zones of which nothing says whether they are marked on the ground or on a chart."""
    for zone in view.bound:
        if given(zone.marked) is None and given(zone.charted) is None:
            key = "charted" if zone.charted is not None or zone.marked is None else "marked"
            yield from view.need_of(zone, key, f"Zone {zone.id}", "whether it is marked or charted")


@check(
    "GEO-10",
    "status quo baseline",
    severity=Severity.WARNING,
    keys=("status_quo", "status_quo.as_of", "status_quo.map"),
    fix="""
status_quo: {as_of: "2031-04-02", map: annex B}
""",
)
def status_quo(view: View) -> Iterator[Gap]:
    """Find lines between forces without the day and the map of who stood where."""
    if any(given(zone.kind) in LINE_KINDS for zone in view.bound):
        yield from view.need("status_quo.as_of", "The agreement", "the day of its status quo")
        yield from view.need("status_quo.map", "The agreement", "the map of its status quo")


@check(
    "GEO-11",
    "borders",
    severity=Severity.INFORMATION,
    keys=("zones[].clip",),
    fix="""
zones:
  - {id: ring, clip: {note: ends at the border}}
""",
)
def borders(view: View) -> Iterator[Gap]:
    """Find zones of which nothing says whether they end at a border."""
    for zone in view.bound:
        yield from view.need_of(zone, "clip", f"Zone {zone.id}", "whether it ends at a border")


def _widths(zone: Zone) -> Iterator[tuple[str, str, object]]:
    told = given(zone.geometry)
    if told is None:
        return
    circle, corridor, sector = given(told.circle), given(told.corridor), given(told.sector)
    if circle is not None:
        yield "circle.radius", "radius", circle.radius_m
    if corridor is not None:
        yield "corridor.half_width", "half width", corridor.half_width_m
    if sector is not None:
        yield "sector.radius", "radius", sector.radius_m


def _is_open_width(zone: Zone) -> bool:
    """Return True if a zone lacks nothing but the number of its width, which is for GEO-03."""
    return any(not isinstance(told, float) for _, _, told in _widths(zone))


def _anchor_uncertainty_m(agreement: Agreement, zone: Zone) -> float | None:
    told = given(zone.geometry)
    circle, corridor = (given(told.circle), given(told.corridor)) if told else (None, None)
    name = (
        given(circle.centre) if circle else given(corridor.line) if corridor else given(told.polygon) if told else None
    )
    feature = feature_of(agreement, name) if isinstance(name, str) else None
    anchor = feature.properties.get("uncertainty_m") if feature else None
    return float(anchor) if isinstance(anchor, int | float) and not isinstance(anchor, bool) else None


def do_meet(a: Zone, b: Zone) -> bool:
    """Return True unless two zones lie in different domains or altitudes."""
    one, other = set(given(a.domains) or ()), set(given(b.domains) or ())
    if one and other and not one & other:
        return False
    high, low = given(a.altitude), given(b.altitude)
    if high is None or low is None:
        return True
    bands = [(given(t.floor_m), given(t.ceiling_m)) for t in (high, low)]
    (floor_a, top_a), (floor_b, top_b) = bands
    return not (
        (top_a is not None and floor_b is not None and top_a <= floor_b)
        or (top_b is not None and floor_a is not None and top_b <= floor_a)
    )


def are_ordered(a: Zone, b: Zone) -> bool:
    """Return True if the precedences of two zones say which goes before."""
    one, other = given(a.precedence), given(b.precedence)
    return one is not None and other is not None and one != other


def clusters_of(pairs: list[tuple[str, str]]) -> list[list[str]]:
    """Return the groups that pairs join together, each in order."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for a, b in pairs:
        parent[max(root(a), root(b))] = min(root(a), root(b))
    groups: dict[str, list[str]] = {}
    for name in sorted(parent):
        groups.setdefault(root(name), []).append(name)
    return list(groups.values())


def _touches(region: Region | AgreementError, kind: str, coordinates: object) -> bool:
    if isinstance(region, AgreementError):
        return False
    return bool(region.geometry.intersects(shapely.geometry.shape({"type": kind, "coordinates": coordinates})))
