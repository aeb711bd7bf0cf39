"""Page: a report as one HTML file that opens offline.

Style and script are inlined and allowed by their hash alone (CSP 3, §2.3.1); nothing else may be fetched, run or sent.
Everything from data passes the template's escaping and `text.finalize`; there is no way round it for a string. The same
report gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tocsin.serve.report import accounts, tables, text
from tocsin.serve.report.backdrop import CREDIT
from tocsin.serve.report.chart import draw_chart, guess_note
from tocsin.serve.report.fate import MEANING, track_fates
from tocsin.serve.report.model import Report
from tocsin.serve.report.paths import courses
from tocsin.serve.report.sheets import lay_out
from tocsin.serve.report.symbols import EVENT_SYMBOLS, OUTCOME_SYMBOLS, OUTCOME_WORDS
from tocsin.serve.report.timeline import draw_timeline, short
from tocsin.tracks.quality import MEANING as REJECT_MEANING
from tocsin.units import format_duration


def write_report(report: Report, path: Path) -> None:
    """Write a report as one HTML file.

    Parameters
    ----------
    report : Report
    path : Path
        The file; replaced if it is there.
    """
    path.write_text(render_report(report), encoding="utf-8")


def render_report(report: Report) -> str:
    """Return a report as the text of one HTML file, UTF-8."""
    tracks = courses(report.reports)
    track_index = {course.track_id: i for i, course in enumerate(tracks)}
    fates = track_fates(report.events, report.cases)
    layout = lay_out(report)
    charts = [
        draw_chart(report, sheet, chart_id=f"map{n}", tracks=tracks, fates=fates)
        for n, sheet in enumerate(layout.sheets)
    ]
    cases = tables.case_rows(report, track_index)
    drawn = [(row, draw_timeline(row.case, report.playbook)) for row in cases[: tables.MAX_CASE_CHARTS]]
    style, script = asset("report.css"), asset("report.js")
    return environment().get_template("report.html.j2").render(
        report=report,
        tracks=tracks,
        charts=charts,
        layout=layout,
        cases=cases,
        drawn=drawn,
        events=tables.event_rows(report, track_index),
        kind_counts=tables.kind_counts(report.events),
        matrices=[accounts.matrix(c) for c in report.comparisons],
        counts=tables.count_rows(report.counts),
        rejects=tables.reject_rows(report.counts),
        strips=tables.coverage(report),
        silences=tables.silences(report),
        period=_period(report),
        style=Markup(style),
        script=Markup(script),
        csp=policy(style, script),
        credit=CREDIT,
        guess_note=guess_note(),
        fate_meaning=MEANING,
        reject_meaning=REJECT_MEANING,
        event_symbols=EVENT_SYMBOLS,
        outcome_symbols=OUTCOME_SYMBOLS,
        outcome_words=OUTCOME_WORDS,
        fact_names=accounts.FACT_NAMES,
        standing_words=accounts.STANDING_WORDS,
        conflict_words=accounts.CONFLICT_WORDS,
        max_cases=tables.MAX_CASE_CHARTS,
    )  # fmt: skip


def environment() -> Environment:
    """Return the templates of the report's folder, escaping everything, with the filters that they use."""
    found = Environment(
        loader=PackageLoader("tocsin.serve.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=text.finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "clock": text.clock,
        "minute": text.minute,
        "date": text.date,
        "moment": text.moment,
        "words": text.words,
        "plural": text.plural,
        "duration": format_duration,
        "short": short,
        "story": tables.story,
        "tried": tables.tried,
    }
    return found


def asset(name: str) -> str:
    """Return the text of a file of the report's folder."""
    return files("tocsin.serve.report").joinpath("assets", name).read_text(encoding="utf-8")


def policy(style: str, script: str) -> str:
    """Return the content security policy: this style, this script, and nothing from anywhere."""
    hashes = [base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _period(report: Report) -> tuple[int, int] | None:
    """Return the first and the last instant of the accepted reports, or of the events where there are none."""
    if len(report.reports):
        return int(report.reports.observed_us.min()), int(report.reports.observed_us.max())
    if report.events:
        return min(e.at_us for e in report.events), max(e.at_us for e in report.events)
    return None
