"""Compared: two versions of an agreement as one page that opens offline: a map, the zones, every change in words.

What changed is `agreement/versions/diff.py`'s to say; here it is drawn. A zone that both versions have and that moved
is drawn twice, as it was and as it is. Whether a change is good is not said.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from markupsafe import Markup
from msgspec import Struct

from tocsin import __version__
from tocsin.agreement.model import Agreement
from tocsin.agreement.rules.check import View
from tocsin.agreement.terms.places import Zone
from tocsin.agreement.terms.state import given
from tocsin.agreement.versions.diff import ChangeKind, Diff
from tocsin.errors import AgreementError
from tocsin.geo.shapes import Region
from tocsin.serve.replayed import marks_of, terms_of
from tocsin.serve.report.backdrop import CREDIT
from tocsin.serve.report.chart import draw_chart
from tocsin.serve.report.model import Provenance, Report, ZoneShape
from tocsin.serve.report.page import asset, environment, policy
from tocsin.serve.report.sheets import lay_out
from tocsin.serve.report.text import plural

MEANINGS = {
    "added": "new in the later version",
    "now": "as it is in the later version",
    "was": "as it was in the earlier version",
    "gone": "not in the later version",
    "same": "drawn alike in both",
}
"""The ways in which a zone is drawn, and what each means, in the order of the legend."""


class ZoneRow(Struct, frozen=True, kw_only=True):
    """One zone of either version, in words."""

    zone_id: str
    name: str
    what: str
    area_before: str
    area_after: str
    terms: tuple[str, ...]


def write_comparison(before: Agreement, after: Agreement, found: Diff, path: Path) -> None:
    """Write the page of two versions.

    Parameters
    ----------
    before, after : Agreement
    found : Diff
        As `diff` returned it for these two.
    path : Path
        The HTML file; replaced if it is there.
    """
    path.write_text(render_comparison(before, after, found), encoding="utf-8")


def render_comparison(before: Agreement, after: Agreement, found: Diff) -> str:
    """Return the page of two versions as the text of one HTML file, UTF-8; see `write_comparison`."""
    old, new = _Drawn(before), _Drawn(after)
    shapes = list(_shapes(old, new))
    report = Report(
        terms=terms_of(after),
        provenance=Provenance.RECORDED,
        made_by=f"Tocsin {__version__}",
        zones=tuple(shapes),
        marks=tuple(marks_of(after)),
    )
    changed = Counter(shape.zone_id for shape in shapes if shape.mark != "same")
    layout = lay_out(report, busy=changed)
    charts = [
        draw_chart(report, sheet, chart_id=f"map{n}", tracks=(), fates={}) for n, sheet in enumerate(layout.sheets)
    ]
    style, script = asset("report.css") + asset("compared.css"), asset("report.js")
    return environment().get_template("compared.html.j2").render(
        before=terms_of(before),
        after=terms_of(after),
        found=found,
        report=report,
        charts=charts,
        layout=layout,
        marks={shape.mark for shape in shapes},
        meanings=MEANINGS,
        rows=list(_rows(old, new, found)),
        unresolved=[f"{name}: {problem}" for drawn in (old, new) for name, problem in drawn.problems.items()],
        summary=_summary(old, new, found),
        style=Markup(style),
        script=Markup(script),
        csp=policy(style, script),
        credit=CREDIT,
    )  # fmt: skip


class _Drawn:
    """The zones of one version: by id, and the regions of those that can be drawn."""

    def __init__(self, agreement: Agreement) -> None:
        view = View(agreement)
        self.zones: dict[str, Zone] = {zone.id: zone for zone in view.zones}
        self.regions: dict[str, Region] = {n: r for n, r in view.regions.items() if isinstance(r, Region)}
        self.problems = {
            f"Zone {n}, version {given(agreement.version) or 'not set'}, is not drawn": str(r)
            for n, r in view.regions.items()
            if isinstance(r, AgreementError)
        }

    def shape(self, name: str, mark: str) -> ZoneShape:
        """Return a zone as the map draws it; `mark` says which side of the comparison it is of."""
        zone = self.zones[name]
        label = given(zone.name) or zone.id
        return ZoneShape(
            zone_id=zone.id,
            name=f"{label}, before" if mark == "was" else label,
            kind=given(zone.kind) or "",
            clause=zone.path,
            geometry=self.regions[name].geometry,
            is_exemption=zone.is_exemption and mark == "same",
            mark=mark,
        )

    def area(self, name: str) -> str:
        if name not in self.regions:
            return "–"
        square_m = self.regions[name].area_m2
        return f"{square_m / 1e6:,.1f} km²" if square_m >= 1e5 else f"{square_m:,.0f} m²"


def _shapes(old: _Drawn, new: _Drawn) -> list[ZoneShape]:
    found = []
    for name in sorted({*old.regions, *new.regions}):
        if name not in new.regions:
            found.append(old.shape(name, "gone" if name not in new.zones else "was"))
        elif name not in old.regions:
            found.append(new.shape(name, "added" if name not in old.zones else "now"))
        elif old.regions[name].geometry.equals(new.regions[name].geometry):
            found.append(new.shape(name, "same"))
        else:
            found += [new.shape(name, "now"), old.shape(name, "was")]
    return found


def _rows(old: _Drawn, new: _Drawn, found: Diff) -> list[ZoneRow]:
    rows = []
    for name in sorted({*old.zones, *new.zones}):
        zone = new.zones.get(name) or old.zones[name]
        own = [c for c in found.changes if c.path.startswith(f"zones[{name}].")]
        moved = name in old.regions and name in new.regions and not old.regions[name].geometry.equals(
            new.regions[name].geometry
        )  # fmt: skip
        what = "redrawn" if moved else "other terms" if own else "unchanged"
        what = "added" if name not in old.zones else "removed" if name not in new.zones else what
        rows.append(
            ZoneRow(
                zone_id=name,
                name=given(zone.name) or name,
                what=what,
                area_before=old.area(name),
                area_after=new.area(name),
                terms=tuple(dict.fromkeys(c.path.removeprefix(f"zones[{name}].").split(".")[0] for c in own)),
            )
        )
    return sorted(rows, key=lambda row: (row.what == "unchanged", row.zone_id))


def _summary(old: _Drawn, new: _Drawn, found: Diff) -> str:
    counted = Counter(change.kind for change in found.changes)
    parts = [f"{counted[kind]} {kind}" for kind in ChangeKind if counted[kind]]
    if not parts:
        return "No term changed."
    zones = [row.what for row in _rows(old, new, found) if row.what in ("added", "removed", "redrawn")]
    drawn = f" Zones: {', '.join(f'{n} {what}' for what, n in sorted(Counter(zones).items()))}." if zones else ""
    opened = f" {plural(len(found.opened), 'finding')} opened, {len(found.closed)} closed."
    return f"{plural(len(found.changes), 'term')}: {', '.join(parts)}.{drawn}{opened}"
