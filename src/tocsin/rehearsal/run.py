"""Run: a draft and recorded tracks in; what it would have raised, told and been worth out. Nothing is sent or recorded.

Composes the rooms below, as `station.py` does for a replay; decides nothing but whether the draft may be called ready
to warn by: not if it would have passed its own alarm budget (`wolf.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tocsin.agreement.compile import compile_playbook, compile_watchlist
from tocsin.agreement.findings.readiness import Readiness, Use, readiness
from tocsin.agreement.lint import lint
from tocsin.agreement.load import load
from tocsin.agreement.model import Agreement
from tocsin.agreement.playbook import Playbook
from tocsin.agreement.rules.check import Finding
from tocsin.agreement.visible import compile_policy
from tocsin.agreement.watchlist import Conduct, Rule, Watchlist
from tocsin.errors import AgreementErrors, Place, ReportError, SettingError
from tocsin.rehearsal.told import Told, climb, told_to
from tocsin.rehearsal.warned import Stream, judge_approaches
from tocsin.rehearsal.wolf import Budget, Burden, Nuisance, budget_of, burden, nuisances, passed
from tocsin.tracks.archive import Archive, Progress, read_tracks
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.formats.columns import ColumnMap
from tocsin.warn.case import Case
from tocsin.watch.engine import Engine
from tocsin.watch.found import EventBatch
from tocsin.watch.rehearse.score import RESAMPLES, Figures, figures, resampled
from tocsin.watch.rehearse.truth import Terms
from tocsin.watch.replay import replay as replay_watch
from tocsin.watch.routes import NO_ROUTES, read_routes

POSITION_ERROR_M = 40.0
"""Position error where no report states its accuracy, metres: good GPS near shore (docs/guide/warning-quality.md)."""

GAP_S = 900.0
"""Silence that cuts a track where the agreement has no gap rule, seconds."""

ZONE_RESAMPLES = 200
"""Resamples behind the intervals of a single zone."""


class Draft(Struct, frozen=True, kw_only=True):
    """What is to be rehearsed.

    Attributes
    ----------
    agreement : Path
    tracks : sequence of Path
    columns : ColumnMap or None
        How to read files whose header is not known.
    position_error_m, gap_s, clear_s : float or None
        The numbers that the definitions leave open; None takes them from the reports and the agreement.
    routes : Path or None
        A file of routes that approaches are forecast by as well (`tocsin routes`).
    """

    agreement: Path
    tracks: Sequence[Path]
    columns: ColumnMap | None = None
    position_error_m: float | None = None
    gap_s: float | None = None
    clear_s: float | None = None
    routes: Path | None = None


class Worth(Struct, frozen=True, kw_only=True):
    """What the warnings of one look-ahead were worth, at all its zones or at one.

    Attributes
    ----------
    horizon_s : float, seconds
    zone_id : str or None
        None for all zones of the look-ahead.
    figures : Figures
    intervals : dict of str to tuple of float
        95 % interval of each figure, by resampling whole tracks.
    """

    horizon_s: float
    zone_id: str | None
    figures: Figures
    intervals: dict[str, tuple[float, float]]


class Rehearsal(Struct, frozen=True, kw_only=True, dict=True):
    """Everything that came of a rehearsal.

    Attributes
    ----------
    draft : Draft
    agreement : Agreement
    findings : tuple of Finding
    watchlist : Watchlist
    playbook : Playbook or None
        None if the draft has no ladder that could be climbed.
    unwatched : tuple of Rule
        Agreed conduct that this watch does not look for.
    archive : Archive
    reports : ReportBatch
    terms : Terms
    events : EventBatch
    cases : tuple of Case
        With nobody answering.
    streams : tuple of Stream
        Judged warnings by look-ahead.
    worth : tuple of Worth
        By look-ahead, all zones first and then one by one.
    budget : Budget
    burden : Burden
    nuisances : tuple of Nuisance
    told : tuple of Told
    """

    draft: Draft
    agreement: Agreement
    findings: tuple[Finding, ...]
    watchlist: Watchlist
    playbook: Playbook | None
    unwatched: tuple[Rule, ...]
    archive: Archive
    reports: ReportBatch
    terms: Terms
    events: EventBatch
    cases: tuple[Case, ...]
    streams: tuple[Stream, ...]
    worth: tuple[Worth, ...]
    budget: Budget
    burden: Burden
    nuisances: tuple[Nuisance, ...]
    told: tuple[Told, ...]

    @cached_property
    def refusals(self) -> tuple[str, ...]:
        """Why this traffic forbids to call the draft ready to warn by; empty if it does not."""
        return passed(self.budget, self.burden)

    @cached_property
    def readiness(self) -> tuple[Readiness, ...]:
        """The readiness of the draft for each use, this rehearsal included."""
        return tuple(
            replace(r, is_ready=r.is_ready and not self.refusals, refusals=(*r.refusals, *self.refusals))
            if r.use is Use.WARN
            else r
            for r in readiness(self.agreement, self.findings)
        )

    @property
    def is_ready(self) -> bool:
        """True if people can be warned by the draft as it stands."""
        return all(r.is_ready for r in self.readiness if r.use is Use.WARN)


def rehearse(
    draft: Draft, *, reading: Progress | None = None, watching: Callable[[int], None] = lambda _: None
) -> Rehearsal:
    """Carry out a rehearsal.

    Parameters
    ----------
    draft : Draft
    reading : callable or None
        Told how far the reading of each file has come.
    watching : callable
        Told how many reports have been watched.

    Raises
    ------
    AgreementErrors, ReportError, SettingError
        For an input that cannot be used.
    """
    agreement = load(draft.agreement)
    watchlist, playbook, policy = compile_watchlist(agreement), _playbook(agreement), compile_policy(agreement)
    archive = read_tracks(draft.tracks, columns=draft.columns, progress=reading)
    reports = archive.reports
    if not len(reports):
        raise ReportError(
            "no usable report", expected="recorded tracks to rehearse on", place=Place(str(draft.tracks[0]))
        )
    routes = read_routes(draft.routes) if draft.routes else NO_ROUTES
    try:
        engine = Engine(watchlist, routes)
    except ValueError as error:
        raise SettingError(
            str(error), expected="rules that can be watched", place=Place(str(draft.agreement))
        ) from error
    found, _ = replay_watch(engine, reports, progress=watching)
    span_us = (int(reports.observed_us.min()), int(reports.observed_us.max()))
    cases = climb(playbook, found.events, until_us=span_us[1]).cases if playbook else ()
    terms = terms_for(draft, watchlist, reports)
    streams = judge_approaches(found, watchlist, reports, terms)
    return Rehearsal(
        draft=draft,
        agreement=agreement,
        findings=lint(agreement),
        watchlist=watchlist,
        playbook=playbook,
        unwatched=engine.unwatched,
        archive=archive,
        reports=reports,
        terms=terms,
        events=found,
        cases=cases,
        streams=streams,
        worth=tuple(one for stream in streams for one in _worth(stream, watchlist)),
        budget=(budget := budget_of(agreement)),
        burden=burden(streams, found.events, cases, playbook, span_us=span_us, budget=budget),
        nuisances=nuisances(streams, watchlist),
        told=told_to(cases, found.events, policy, playbook),
    )


def terms_for(draft: Draft, watchlist: Watchlist, reports: ReportBatch) -> Terms:
    """Return the numbers by which warnings are judged, as given or as the reports and the agreement have them."""
    stated = reports.accuracy_m[np.isfinite(reports.accuracy_m) & (reports.accuracy_m > 0)]
    gaps_s = [rule.after_s for rule in watchlist.rules if rule.conduct is Conduct.GAP]
    return Terms(
        eps_m=draft.position_error_m or (float(np.median(stated)) if len(stated) else POSITION_ERROR_M),
        clear_s=draft.clear_s or max((z.clear_s for z in watchlist.zones), default=0.0),
        gap_s=draft.gap_s or min(gaps_s, default=GAP_S),
    )


def _playbook(agreement: Agreement) -> Playbook | None:
    """Return the ladder of a draft, None if it has none that can be climbed; readiness says why."""
    try:
        return compile_playbook(agreement)
    except AgreementErrors:
        return None


def _worth(stream: Stream, watchlist: Watchlist) -> list[Worth]:
    found = []
    for place, count in ((None, RESAMPLES), *((i, ZONE_RESAMPLES) for i in range(len(stream.zones)))):
        got = figures(stream.judged, zone=place)
        if place is not None and not got.eligible and not any(got.counts.values()):
            continue
        found.append(
            Worth(
                horizon_s=stream.horizon_s,
                zone_id=None if place is None else watchlist.zones[stream.zones[place]].zone_id,
                figures=got,
                intervals=resampled(stream.judged, zone=place, resamples=count),
            )
        )
    return found
