"""Rehearsed: a rehearsal as one page that opens offline: verdict, figures, what cried wolf, who was told, a map.

Takes the parts of the replay's report. Every number comes from `rehearsal`; on the map a track's colour says what
became of the warnings about it.
"""

from __future__ import annotations

from math import isfinite
from pathlib import Path

from markupsafe import Markup

from tocsin import __version__
from tocsin.agreement.terms.state import given
from tocsin.rehearsal.run import Rehearsal, Worth
from tocsin.rehearsal.words import VERDICTS, nuisance_words, span_us, warned
from tocsin.serve.replayed import SIMULATED, marks_of, terms_of, zones_of
from tocsin.serve.report.backdrop import CREDIT
from tocsin.serve.report.chart import draw_chart, guess_note
from tocsin.serve.report.fate import Fate
from tocsin.serve.report.model import Provenance, Report
from tocsin.serve.report.page import asset, environment, policy
from tocsin.serve.report.paths import courses
from tocsin.serve.report.sheets import lay_out
from tocsin.watch.event import EventKind
from tocsin.watch.rehearse.judge import CLASSES, Class
from tocsin.watch.rehearse.score import missed

MEANING: dict[Fate, str] = {
    Fate.UNANSWERED: "warned of, and at least one warning came to nothing",
    Fate.TOLD: "warned of early, or came near without entering",
    Fate.ACKNOWLEDGED: "warned of in time, and it entered",
    Fate.INSIDE: "entered, and nobody would have been warned in time",
    Fate.QUIET: "no warning and no entry to warn of",
}
"""What the colours of the map mean on this page, the gravest first."""

_ON_THE_MAP = frozenset({EventKind.APPROACH, EventKind.ENTRY, EventKind.CROSSING, EventKind.FIRST_SEEN_INSIDE})


def write_rehearsal_page(rehearsal: Rehearsal, path: Path) -> None:
    """Write the page of a rehearsal.

    Parameters
    ----------
    rehearsal : Rehearsal
    path : Path
        The HTML file; replaced if it is there.
    """
    path.write_text(render_rehearsal(rehearsal), encoding="utf-8")


def render_rehearsal(rehearsal: Rehearsal) -> str:
    """Return the page of a rehearsal as the text of one HTML file, UTF-8."""
    report = _report(rehearsal)
    tracks, fates, layout = courses(report.reports), track_verdicts(rehearsal), lay_out(report)
    charts = [
        draw_chart(report, sheet, chart_id=f"map{n}", tracks=tracks, fates=fates, called=MEANING)
        for n, sheet in enumerate(layout.sheets)
    ]
    style, script = asset("report.css"), asset("report.js")
    names = {zone.zone_id: zone.name for zone in report.zones}
    return environment().get_template("rehearsal.html.j2").render(
        rehearsal=rehearsal,
        report=report,
        charts=charts,
        layout=layout,
        names=names,
        verdicts=VERDICTS,
        whole=[w for w in rehearsal.worth if w.zone_id is None],
        by_zone=[w for w in rehearsal.worth if w.zone_id is not None],
        nuisances=[(n, nuisance_words(n)) for n in rehearsal.nuisances],
        zones_crying={n.zone_id for n in rehearsal.nuisances},
        warned=warned,
        told=rehearsal.told,
        span=span_us(rehearsal),
        title=given(rehearsal.agreement.title) or rehearsal.agreement.id,
        figure=_figure,
        interval=_interval,
        classes=[str(c) for c in CLASSES],
        style=Markup(style),
        script=Markup(script),
        csp=policy(style, script),
        credit=CREDIT,
        guess_note=guess_note(),
        meaning=MEANING,
    )  # fmt: skip


def track_verdicts(rehearsal: Rehearsal) -> dict[str, Fate]:
    """Return what became of the warnings about each track; the gravest where several; others are QUIET."""
    order = {fate: rank for rank, fate in enumerate(MEANING)}
    of_class = {
        Class.FALSE: Fate.UNANSWERED,
        Class.EARLY: Fate.TOLD,
        Class.NEAR: Fate.TOLD,
        Class.RIGHT: Fate.ACKNOWLEDGED,
    }
    found: dict[str, Fate] = {}
    for stream in rehearsal.streams:
        judged, names = stream.judged, stream.judged.truth.fixes.tracks
        noted = [
            (int(track), of_class[CLASSES[verdict]])
            for track, verdict in zip(judged.warnings.track, judged.verdict, strict=True)
            if CLASSES[verdict] in of_class
        ]
        own = judged.truth.fixes.segment_track[judged.truth.entries["segment"][missed(judged)]]
        noted += [(int(track), Fate.INSIDE) for track in own]
        for track, fate in noted:
            found[names[track]] = min(found.get(names[track], Fate.QUIET), fate, key=order.__getitem__)
    return found


def _report(rehearsal: Rehearsal) -> Report:
    """Return what the report's parts draw: terms, zones, tracks, warnings and entries."""
    batch = rehearsal.reports
    simulated = any(SIMULATED in word for word in (*batch.feeds, *batch.categories))
    return Report(
        terms=terms_of(rehearsal.agreement),
        provenance=Provenance.SIMULATED if simulated else Provenance.RECORDED,
        made_by=f"Tocsin {__version__}",
        zones=tuple(zones_of(rehearsal.agreement, rehearsal.watchlist)),
        marks=tuple(marks_of(rehearsal.agreement)),
        reports=batch,
        events=tuple(event for event in rehearsal.events if event.kind in _ON_THE_MAP),
        playbook=rehearsal.playbook,
    )


def _figure(worth: Worth, name: str, digits: int = 2) -> str:
    value = getattr(worth.figures, name)
    return f"{value:,.{digits}f}" if isfinite(value) else "–"


def _interval(worth: Worth, name: str, digits: int = 2) -> str:
    low, high = worth.intervals[name]
    return f"{low:,.{digits}f} to {high:,.{digits}f}" if isfinite(low) and isfinite(high) else ""
