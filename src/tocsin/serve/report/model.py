"""The report's contents: what one replay was about, what it found, did and said, and how to check it.

Events, cases, claims, counts and findings are the records of the rooms that made them; the few types here hold what no
room has as a record: the terms in a few lines, shapes to draw, the head of the log. All text is untrusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from tocsin.agreement.findings.readiness import Readiness
from tocsin.agreement.playbook import Playbook
from tocsin.agreement.rules.check import Finding
from tocsin.incident.compare import Comparison
from tocsin.tracks.batch import EMPTY, ReportBatch
from tocsin.tracks.quality import Counts
from tocsin.warn.case import Case
from tocsin.warn.steps import Mute
from tocsin.warn.telling import Acknowledgement
from tocsin.watch.event import Event


class Provenance(StrEnum):
    """Whether the tracks were observed."""

    RECORDED = "recorded"
    SIMULATED = "simulated"


class PartyLine(Struct, frozen=True, kw_only=True):
    """One party of the agreement, and how it stands to it, in the agreement's words."""

    party_id: str
    name: str
    kind: str = ""
    consent: str = ""


class Terms(Struct, frozen=True, kw_only=True):
    """The agreement in a few lines.

    Attributes
    ----------
    agreement_id, title, purpose : str
    version : int
    digest : bytes
        SHA-256 of its canonical form.
    from_us, to_us : int or None
        Half-open; None where the agreement sets no instant.
    parties : tuple of PartyLine
    """

    agreement_id: str
    version: int
    title: str
    digest: bytes
    purpose: str = ""
    from_us: int | None = None
    to_us: int | None = None
    parties: tuple[PartyLine, ...] = ()


class Checked(Struct, frozen=True, kw_only=True):
    """What the checks found in one version of an agreement.

    Attributes
    ----------
    title, agreement_id : str
    version : int
    findings : tuple of Finding
    readiness : tuple of Readiness
    """

    title: str
    agreement_id: str
    version: int
    findings: tuple[Finding, ...] = ()
    readiness: tuple[Readiness, ...] = ()


class ZoneShape(Struct, frozen=True, kw_only=True):
    """One zone, to be drawn.

    Attributes
    ----------
    zone_id, name, kind, clause : str
        The agreement's own words.
    geometry : shapely geometry
        Degrees, longitude first, such as `Region.geometry`.
    is_exemption : bool
    mark : str
        A class of the page's style, where zones are drawn in more than one way.
    """

    zone_id: str
    name: str
    kind: str
    clause: str
    geometry: Any
    is_exemption: bool = False
    mark: str = ""


class Mark(Struct, frozen=True, kw_only=True):
    """A named place to draw, such as a protected site."""

    name: str
    lat_deg: float
    lon_deg: float


class NoticeLine(Struct, frozen=True, kw_only=True):
    """One notice, how far it got, and how its movers kept to it.

    Attributes
    ----------
    notice_id, standing : str
    given_us : int
    flags : tuple of str
        In sentences.
    receipts : tuple of (str, str)
        What is owed, such as "read by watch", and what became of it.
    kept : tuple of (str, str)
        Track, and how it kept to the notice, in words.
    """

    notice_id: str
    standing: str
    given_us: int
    flags: tuple[str, ...] = ()
    receipts: tuple[tuple[str, str], ...] = ()
    kept: tuple[tuple[str, str], ...] = ()


class CheckpointLine(Struct, frozen=True, kw_only=True):
    """The head of the record's log, and how to check it.

    Attributes
    ----------
    origin : str
    size : int
        Entries.
    root : str
        Root hash as the checkpoint spells it.
    vkey : str
        The log's public key, as `log.vkey` spells it.
    commands : tuple of str
        To be typed in the folder of the report.
    """

    origin: str
    size: int
    root: str
    vkey: str = ""
    commands: tuple[str, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """All that a report shows.

    Attributes
    ----------
    terms : Terms
    provenance : Provenance
    provenance_note : str
        Where the tracks come from, in a sentence or two.
    made_by : str
        Program and version.
    zones : tuple of ZoneShape
    marks : tuple of Mark
    reports : ReportBatch
        Accepted reports, in any order.
    events : tuple of Event
    cases : tuple of Case
    unmatched_answers : tuple of Acknowledgement
        Answers about no case.
    mutes : tuple of Mute
        What was withheld outside any case.
    playbook : Playbook or None
        None where the agreement sets no ladder.
    checked : tuple of Checked
        The agreement of this replay first, then others to set beside it.
    unwatched : tuple of str
        Sentences: conduct that the agreement names and this watch does not look for.
    comparisons : tuple of Comparison
    counts : mapping of str to Counts
        By feed or file.
    notices : tuple of NoticeLine
    checkpoint : CheckpointLine or None
        None if no record was kept.
    files : mapping of str to str
        Files beside the report and what each holds.
    """

    terms: Terms
    provenance: Provenance
    provenance_note: str = ""
    made_by: str = "Tocsin"
    zones: tuple[ZoneShape, ...] = ()
    marks: tuple[Mark, ...] = ()
    reports: ReportBatch = EMPTY
    events: tuple[Event, ...] = ()
    cases: tuple[Case, ...] = ()
    unmatched_answers: tuple[Acknowledgement, ...] = ()
    mutes: tuple[Mute, ...] = ()
    playbook: Playbook | None = None
    checked: tuple[Checked, ...] = ()
    unwatched: tuple[str, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    counts: Mapping[str, Counts] = field(default_factory=dict)
    notices: tuple[NoticeLine, ...] = ()
    checkpoint: CheckpointLine | None = None
    files: Mapping[str, str] = field(default_factory=dict)
