"""Replayed: what the report needs of a replay, gathered.

It only gathers and words; what happened was decided in the rooms below. The recorded tracks say themselves whether they
are simulated: a replay is called simulated if any of its reports is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tocsin import __version__
from tocsin.agreement.findings.readiness import readiness
from tocsin.agreement.geometry import feature_of
from tocsin.agreement.lint import lint
from tocsin.agreement.load import load
from tocsin.agreement.model import Agreement
from tocsin.agreement.rules.check import Finding
from tocsin.agreement.terms.state import given
from tocsin.agreement.watchlist import Watchlist
from tocsin.serve.report import (
    Checked,
    CheckpointLine,
    Mark,
    PartyLine,
    Provenance,
    Report,
    Terms,
    ZoneShape,
    write_report,
)
from tocsin.serve.told import notice_lines
from tocsin.station.replay.replay import Replay
from tocsin.units import format_instant

SIMULATED = "simulated"
"""The word in a report's feed or category that marks it as made, not observed."""

FILES = {
    "events.jsonl": "every event, one canonical JSON object a line",
    "events.parquet": "the same as a table",
    "cases.jsonl": "every case with its whole timeline",
    "messages.jsonl": "every message that was handed to a file",
    "rejects.jsonl": "every record that could not be used, with its reason",
    "record/": "the signed log; hand it to anybody",
    "payload/": "what the log's entries commit to; for the keeper, and by extract for whom they are meant",
}
"""What lies beside the report."""


def write_replay_report(replayed: Replay, path: Path, *, beside: Path | None = None) -> None:
    """Write the report of a replay.

    Parameters
    ----------
    replayed : Replay
    path : Path
        The HTML file.
    beside : Path or None
        Another version of the agreement, whose findings stand in the report too.
    """
    write_report(report_of(replayed, beside=load(beside) if beside else None), path)


def report_of(replayed: Replay, *, beside: Agreement | None = None) -> Report:
    """Return the report's contents, with the findings of another version of the agreement if one is given."""
    agreement, checkpoint = replayed.agreement, replayed.checkpoint
    simulated = _is_simulated(replayed)
    return Report(
        terms=terms_of(agreement),
        provenance=Provenance.SIMULATED if simulated else Provenance.RECORDED,
        provenance_note=_note(replayed, simulated) + _versions(replayed),
        made_by=f"Tocsin {__version__}",
        zones=tuple(zones_of(agreement, replayed.watchlist)),
        marks=tuple(marks_of(agreement)),
        reports=replayed.reports,
        events=tuple(replayed.events),
        cases=replayed.warned.cases,
        unmatched_answers=replayed.warned.stray,
        mutes=tuple(mute for mute in replayed.warned.mutes if mute.case_id is None),
        playbook=replayed.playbook,
        checked=tuple(_checked(agreement, replayed.findings, beside)),
        unwatched=tuple(
            f"{rule.rule_id} ({rule.clause}): the agreement names it, and this watch does not look for {rule.conduct}."
            for rule in replayed.unwatched
        ),
        comparisons=replayed.comparisons,
        counts={Path(name).name: counts for name, counts in replayed.archive.counts.items()},
        notices=tuple(notice_lines(replayed.notified)) if replayed.notified else (),
        checkpoint=CheckpointLine(
            origin=checkpoint.origin,
            size=checkpoint.size,
            root=checkpoint.root.hex(),
            vkey=replayed.vkey,
            commands=("tocsin verify record",),
        ),
        files={name: what for name, what in FILES.items() if (replayed.job.out / name).exists()},
    )


def terms_of(agreement: Agreement) -> Terms:
    """Return an agreement in a few lines."""
    effective = given(agreement.effective)
    return Terms(
        agreement_id=agreement.id,
        version=given(agreement.version) or 0,
        title=given(agreement.title) or agreement.id,
        digest=agreement.digest,
        purpose=given(agreement.purpose) or "",
        from_us=given(effective.from_us) if effective else None,
        to_us=given(effective.to_us) if effective else None,
        parties=tuple(
            PartyLine(
                party_id=party.id,
                name=given(party.name) or party.id,
                kind=given(party.kind) or "",
                consent=str(consent.state) if (consent := given(party.consent)) else "",
            )
            for party in given(agreement.parties) or ()
        ),
    )


def _checked(agreement: Agreement, findings: tuple[Finding, ...], beside: Agreement | None) -> Iterator[Checked]:
    yield Checked(
        title=given(agreement.title) or agreement.id,
        agreement_id=agreement.id,
        version=given(agreement.version) or 0,
        findings=findings,
        readiness=readiness(agreement, findings),
    )
    if beside is not None:
        yield from _checked(beside, lint(beside), None)


def _is_simulated(replayed: Replay) -> bool:
    batch = replayed.reports
    return any(SIMULATED in word for word in (*batch.feeds, *batch.categories))


def _note(replayed: Replay, simulated: bool) -> str:
    names = ", ".join(Path(name).name for name in replayed.archive.counts)
    first = f"{len(replayed.reports):,} reports of {len(replayed.reports.tracks):,} tracks from {names}."
    return first + (" The tracks are simulated: nobody moved like this." if simulated else "")


def _versions(replayed: Replay) -> str:
    """Return which version held from when, if there is more than one."""
    if len(replayed.chapters) == 1:
        return ""
    told = [
        f"Version {c.watchlist.version} from {'the beginning' if c.from_us is None else format_instant(c.from_us)[:16]}"
        for c in replayed.chapters
    ]
    return f" The agreement changed on the way: {'; '.join(told)}. Zones are drawn as they were last."


def zones_of(agreement: Agreement, watchlist: Watchlist) -> list[ZoneShape]:
    """Return the zones of an agreement as shapes to draw."""
    names = {zone.id: given(zone.name) or zone.id for zone in given(agreement.zones) or ()}
    return [
        ZoneShape(
            zone_id=zone.zone_id,
            name=names.get(zone.zone_id, zone.zone_id),
            kind=zone.kind,
            clause=zone.clause,
            geometry=zone.region.geometry,
            is_exemption=zone.is_exemption,
        )
        for zone in watchlist.zones
    ]


def marks_of(agreement: Agreement) -> list[Mark]:
    """Return the sites of an agreement that are points, as marks to draw."""
    marks = []
    for site in given(agreement.sites) or ():
        name = given(site.feature)
        feature = feature_of(agreement, name) if name else None
        if feature is not None and feature.kind == "Point" and isinstance(feature.coordinates, list):
            lon_deg, lat_deg = feature.coordinates[:2]
            marks.append(Mark(name=given(site.name) or site.id, lat_deg=float(lat_deg), lon_deg=float(lon_deg)))
    return marks
