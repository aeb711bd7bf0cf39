"""Words: a rehearsal as JSON for programs, as lines for people, and its warnings as a table.

Says what was counted and nothing else; recall never without precision, neither without its look-ahead
(docs/guide/warning-quality.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec.structs import asdict

from tocsin.agreement.findings.readiness import Use
from tocsin.agreement.terms.state import given
from tocsin.clock import US_PER_S
from tocsin.rehearsal.run import Rehearsal, Worth
from tocsin.rehearsal.warned import Stream
from tocsin.rehearsal.wolf import Nuisance
from tocsin.units import format_duration, format_instant
from tocsin.watch.rehearse.judge import CLASSES, WARNING_SCHEMA
from tocsin.watch.rehearse.truth import NEVER

VERDICTS: dict[Use, tuple[str, str]] = {
    Use.WATCH: ("it can be watched", "it cannot be watched"),
    Use.WARN: ("people can be warned by it", "not ready to warn anybody by"),
    Use.RECORD: ("its record can be relied on", "its record cannot be relied on"),
}
"""What is said of each use: ready, and not ready."""

TABLE_SCHEMA = pa.schema([*WARNING_SCHEMA, pa.field("class", pa.string(), nullable=False)])
"""The columns of `warnings.parquet`: a warnings file, and what became of each."""


def as_json(rehearsal: Rehearsal) -> dict[str, Any]:
    """Return a rehearsal as a JSON object; a figure that nothing could be divided for is null."""
    first_us, last_us = span_us(rehearsal)
    return {
        "agreement": {
            "id": rehearsal.agreement.id,
            "version": given(rehearsal.agreement.version),
            "sha256": rehearsal.agreement.digest.hex(),
        },
        "ready": rehearsal.is_ready,
        "readiness": [
            {"use": str(r.use), "ready": r.is_ready, "blockers": list(r.blockers), "refusals": list(r.refusals)}
            for r in rehearsal.readiness
        ],
        "reports": {
            "count": len(rehearsal.reports),
            "tracks": len(rehearsal.reports.tracks),
            "from": format_instant(first_us),
            "to": format_instant(last_us),
        },
        "terms": {
            "position_error_m": rehearsal.terms.eps_m,
            "gap_s": rehearsal.terms.gap_s,
            "clear_s": rehearsal.terms.clear_s,
            "interval_s": rehearsal.streams[0].judged.truth.interval_s if rehearsal.streams else None,
        },
        "budget": {**asdict(rehearsal.budget), "agreed": sorted(rehearsal.budget.agreed)},
        "burden": asdict(rehearsal.burden),
        "figures": [_figures(worth) for worth in rehearsal.worth],
        "nuisances": [asdict(n) for n in rehearsal.nuisances],
        "told": [{**asdict(t), "shown": {str(k): n for k, n in t.shown.items()}} for t in rehearsal.told],
        "not_watched": [
            {"rule": r.rule_id, "clause": r.clause, "conduct": str(r.conduct)} for r in rehearsal.unwatched
        ],
    }


def format_json(rehearsal: Rehearsal) -> str:
    """Return a rehearsal as JSON text."""
    return json.dumps(as_json(rehearsal), indent=2, ensure_ascii=False)


def _figures(worth: Worth) -> dict[str, Any]:
    told = asdict(worth.figures)
    return {
        "horizon_s": worth.horizon_s,
        "zone": worth.zone_id,
        **{name: _number(value) for name, value in told.items() if name != "horizon_s"},
        "interval_95": {name: [_number(a), _number(b)] for name, (a, b) in worth.intervals.items()},
    }


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value


def format_text(rehearsal: Rehearsal) -> str:
    """Return a rehearsal as lines for people."""
    return "\n".join(_lines(rehearsal))


def _lines(rehearsal: Rehearsal) -> Iterator[str]:
    first_us, last_us = span_us(rehearsal)
    yield (
        f"{given(rehearsal.agreement.title) or rehearsal.agreement.id}: rehearsed on {len(rehearsal.reports):,} reports"
        f" of {len(rehearsal.reports.tracks):,} tracks, {format_instant(first_us)} to {format_instant(last_us)}"
    )
    yield ""
    for worth in rehearsal.worth:
        if worth.zone_id is None:
            yield from _stream_lines(worth)
    yield from _zone_lines(rehearsal)
    borne, budget = rehearsal.burden, rehearsal.budget
    yield (
        f"Alarms: {borne.alarms} in {borne.hours:.1f} h, {borne.per_operator_hour:.2f} an hour for each of"
        f" {budget.operators} on watch, at most {borne.most_in_ten_min} in ten minutes"
        f" (limits {budget.per_hour} and {budget.in_ten_min}{'' if budget.agreed else ', not set by the agreement'})"
    )
    for nuisance in rehearsal.nuisances:
        yield f"Cries wolf: {nuisance_words(nuisance)}"
    for told in rehearsal.told:
        shown = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in told.shown.items())
        yield (
            f"Told: {told.recipient}: {told.at_conduct} at a conduct, {told.on_silence} on silence,"
            f" {told.repeats} repeats, {told.stand_downs} stand-downs, in {told.cases} cases;"
            f" shown {shown or 'nothing'}"
        )
    for rule in rehearsal.unwatched:
        yield f"Not watched: {rule.rule_id} ({rule.clause}); this watch does not look for {rule.conduct}"
    yield ""
    for use in rehearsal.readiness:
        why = "; ".join([*use.blockers, *use.refusals])
        yield f"Readiness to {use.use}: {VERDICTS[use.use][0 if use.is_ready else 1]}{f': {why}' if why else ''}"


def _stream_lines(worth: Worth) -> Iterator[str]:
    got, ends = worth.figures, worth.intervals
    yield f"{format_duration(worth.horizon_s)} ahead, {got.eligible} entries to warn of, {warned(worth)} warnings"
    yield f"  recall {_with(got.recall, ends['recall'])}, precision {_with(got.precision, ends['precision'])}"
    yield f"  wanted {_with(got.wanted, ends['wanted'])}, F1 {_with(got.f1, ends['f1'])}"
    yield f"  lead: median {_seconds(got.lead_median_s)}, 10th percentile {_seconds(got.lead_p10_s)}"
    yield (
        f"  wrong warnings in 1,000 track-hours {_with(got.false_per_1000_h, ends['false_per_1000_h'], 0)},"
        f" warnings an entry over one {_with(got.flapping, ends['flapping'])}"
    )
    stated = "no probability was said"
    if isfinite(got.brier):
        stated = (
            f"Brier score {got.brier:.3f}, calibration error {_with(got.calibration_error, ends['calibration_error'])}"
        )
    yield f"  {stated}; {', '.join(f'{n} {name}' for name, n in got.counts.items() if n) or 'nothing'}"


def _zone_lines(rehearsal: Rehearsal) -> Iterator[str]:
    yield "By zone:"
    for worth in rehearsal.worth:
        if worth.zone_id is not None:
            got = worth.figures
            yield (
                f"  {worth.zone_id}, {format_duration(worth.horizon_s)}: {got.eligible} entries, recall"
                f" {_share(got.recall)}; {warned(worth)} warnings, precision {_share(got.precision)},"
                f" {got.counts['false']} false"
            )


def nuisance_words(nuisance: Nuisance) -> str:
    """Return in words why a zone or track is a nuisance candidate."""
    what = f"zone {nuisance.zone_id}" if nuisance.zone_id else f"track {nuisance.track_id}"
    about = f"{nuisance.others} {'tracks' if nuisance.zone_id else 'zones'}"
    return (
        f"{what}: {nuisance.false} of its {nuisance.warnings} warnings came to nothing, about {about};"
        f" {100 * nuisance.share:.0f} % of all that did"
    )


def warned(worth: Worth) -> int:
    """Return how many warnings were given, of every class."""
    return sum(worth.figures.counts.values())


def span_us(rehearsal: Rehearsal) -> tuple[int, int]:
    """Return the first and last instant of the reports."""
    return int(rehearsal.reports.observed_us.min()), int(rehearsal.reports.observed_us.max())


def _with(value: float, ends: tuple[float, float], digits: int = 2) -> str:
    if not isfinite(value):
        return "–"
    return f"{value:,.{digits}f} ({ends[0]:,.{digits}f} to {ends[1]:,.{digits}f})"


def _share(value: float) -> str:
    return f"{value:.2f}" if isfinite(value) else "–"


def _seconds(value: float) -> str:
    return format_duration(value) if isfinite(value) else "–"


def warnings_table(rehearsal: Rehearsal) -> pa.Table:
    """Return every approach warning with what became of it, by look-ahead, track, zone and time."""
    parts = [_part(stream, rehearsal) for stream in rehearsal.streams]
    return pa.concat_tables([TABLE_SCHEMA.empty_table(), *parts])


def _part(stream: Stream, rehearsal: Rehearsal) -> pa.Table:
    judged, own = stream.judged, stream.judged.warnings
    names = judged.truth.fixes.tracks
    zones = [rehearsal.watchlist.zones[z].zone_id for z in stream.zones]

    def instants(at_us: np.ndarray) -> pa.Array:
        return pa.array(at_us, mask=at_us == NEVER).cast(TABLE_SCHEMA.field("t_issued").type)

    predicted = {
        (e.track_id, e.zone_id, e.known_us): e.known_us + round(e.measured["time_to_entry_s"] * US_PER_S)
        for e in rehearsal.events
        if "time_to_entry_s" in e.measured
    }
    keys = [(names[t], zones[z], int(at)) for t, z, at in zip(own.track, own.zone, own.at_us, strict=True)]
    columns = [
        pa.array([track for track, _, _ in keys], pa.string()),
        pa.array([zone for _, zone, _ in keys], pa.string()),
        instants(own.at_us),
        pa.array(own.horizon_s),
        instants(np.array([predicted[key] for key in keys], np.int64)),
        instants(own.lo_us),
        instants(own.hi_us),
        pa.array(own.probability, mask=np.isnan(own.probability)),
        pa.array([str(CLASSES[i]) for i in judged.verdict], pa.string()),
    ]
    return pa.table(columns, schema=TABLE_SCHEMA)
