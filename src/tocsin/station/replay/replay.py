"""The replayed station: an agreement and recorded tracks, carried through every room.

Reports, events, cases, claims, the record. It decides nothing itself; who may be told what is read from the
agreement's routing, and denied where it is silent. The live station is beside it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from tocsin import __version__
from tocsin.agreement.boundary import boundary_words
from tocsin.agreement.custody import Custody, compile_custody
from tocsin.agreement.lint import lint
from tocsin.agreement.model import Agreement
from tocsin.agreement.notices.formats.read import read_notices
from tocsin.agreement.notices.rules import compile_rules
from tocsin.agreement.playbook import Playbook
from tocsin.agreement.rules.check import Finding
from tocsin.agreement.terms.state import given
from tocsin.agreement.versions.signatures import Signed
from tocsin.agreement.watchlist import Rule, Watchlist
from tocsin.canon import canonical_line
from tocsin.errors import Place, SettingError
from tocsin.incident.book import ClaimBook
from tocsin.incident.compare import Comparison, compare
from tocsin.incident.load import load_claims
from tocsin.incident.names import AliasGroup, Names
from tocsin.incident.sensors import SYSTEM, claims_of_sensors
from tocsin.record.c2sp.checkpoint import Checkpoint
from tocsin.record.keys import create_key
from tocsin.record.leaf import Entry
from tocsin.record.log import MAX_UNPUBLISHED, Log
from tocsin.station.core.agreed_witnesses import witnesses_entry
from tocsin.station.core.entries import NoticeTold
from tocsin.station.core.overdue import message_record, outcome_record, tell_overdue
from tocsin.station.publish.signed import read_keys, read_signatures
from tocsin.station.replay.chapters import (
    Chapter,
    chapter_at,
    chapters_of,
    engines_of,
    load_versions,
    watch_chapters,
)
from tocsin.station.replay.chronicle import entries_of
from tocsin.tracks.archive import Archive, Progress, read_tracks
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.formats.columns import ColumnMap
from tocsin.tracks.quality import write_rejects
from tocsin.warn.ack import Answers, read_answers
from tocsin.warn.channels.config import Transports, default_transports, load_transports
from tocsin.warn.dispatch import WarnResult, run
from tocsin.warn.states import OUT
from tocsin.watch.chain import EventChain
from tocsin.watch.event import Event, write_events
from tocsin.watch.notified import Notified, with_notices
from tocsin.watch.routes import NO_ROUTES, read_routes

MARKER = "replay.json"
"""The file that says that a folder is a replay's, and may be replaced by the next one."""


class Job(Struct, frozen=True, kw_only=True):
    """What is to be replayed.

    Attributes
    ----------
    agreement : Path
    tracks : sequence of Path
    out : Path
        The folder for everything that comes out.
    columns : ColumnMap or None
        How to read files whose header is not known.
    answers, channels, claims : Path or None
        Answers with their times; transports of the agreement's channels; claims of the incident.
    notices : Path or None
        Notices of movements and sites with their receipts: a file, or a folder of files.
    versions : sequence of Path
        Other versions of the agreement; which is in force when is read from them.
    signatures : sequence of Path
        What parties said about the versions, signed; then a version is in force only once it is signed.
    keys : Path or None
        Whose key is whose: needed with `signatures`.
    routes : Path or None
        A file of routes that approaches are forecast by as well (`tocsin routes`).
    """

    agreement: Path
    tracks: Sequence[Path]
    out: Path
    columns: ColumnMap | None = None
    answers: Path | None = None
    channels: Path | None = None
    claims: Path | None = None
    notices: Path | None = None
    versions: Sequence[Path] = ()
    signatures: Sequence[Path] = ()
    keys: Path | None = None
    routes: Path | None = None


class Replay(Struct, frozen=True, kw_only=True):
    """Everything that came of a replay.

    Attributes
    ----------
    job : Job
    chapters : tuple of Chapter
        The versions in force, in order of time.
    findings : tuple of Finding
        Of the last version.
    unwatched : tuple of Rule
        Agreed conduct that this watch does not look for.
    archive : Archive
    reports : ReportBatch
    repeated : int
        Reports that the watch did not use, because their track already had a fix at that instant.
    events : EventChain
    warned : WarnResult
    answers : Answers
    comparisons : tuple of Comparison
    checkpoint : Checkpoint
    vkey : str
        The log's public key.
    notified : Notified or None
        What came of the notices, if any were given.
    """

    job: Job
    chapters: tuple[Chapter, ...]
    findings: tuple[Finding, ...]
    unwatched: tuple[Rule, ...]
    archive: Archive
    reports: ReportBatch
    repeated: int
    events: EventChain
    warned: WarnResult
    answers: Answers
    comparisons: tuple[Comparison, ...]
    checkpoint: Checkpoint
    vkey: str
    notified: Notified | None = None

    @property
    def agreement(self) -> Agreement:
        """The last version in force."""
        return self.chapters[-1].agreement

    @property
    def watchlist(self) -> Watchlist:
        """What the last version watches."""
        return self.chapters[-1].watchlist

    @property
    def playbook(self) -> Playbook:
        """The ladder of the last version."""
        return self.chapters[-1].playbook


def replay(job: Job, *, reading: Progress | None = None, watching: Callable[[int], None] = lambda _: None) -> Replay:
    """Carry out a replay and write what came of it into `job.out`.

    Writes `events.jsonl`, `events.parquet`, `cases.jsonl`, `rejects.jsonl`, the messages that went to files, and the
    record; with notices `notices.jsonl`, `notices_refused.jsonl` and `conformance.jsonl` too. The same job gives the
    same bytes of all but the record, whose salts and key are new each time.

    Parameters
    ----------
    job : Job
    reading : callable or None
        Told how far the reading of each file has come.
    watching : callable
        Told how many reports have been watched.

    Raises
    ------
    AgreementErrors, ReportError, ClaimError, SettingError
        For an input that cannot be used; nothing of an older replay in the folder is touched then.
    """
    signatures, chapters = _versions(job)
    answers = read_answers(job.answers) if job.answers else Answers(answers=(), rejected=(), read=0)
    book = load_claims(job.claims) if job.claims else None
    told = read_notices(job.notices) if job.notices else None
    last = chapters[-1]
    custody = compile_custody(last.agreement)
    rules = compile_rules(last.agreement, last.watchlist) if told else None
    archive = read_tracks(job.tracks, columns=job.columns, progress=reading)
    engines = engines_of(chapters, read_routes(job.routes) if job.routes else NO_ROUTES)
    _check_channels(job)
    _clear(job.out)
    found, repeated = watch_chapters(engines, archive.reports, watching=watching)
    until_us = max([0, *archive.reports.observed_us[-1:].tolist()])
    notified = None
    if told and rules:
        watched = [(chapter.watchlist, events) for chapter, events in zip(chapters, found, strict=True)]
        found, notified = with_notices(told, rules=rules, watched=watched, reports=archive.reports, until_us=until_us)
        _write_notified(notified, job.out)
    events = EventChain(found)
    transports = load_transports(job.channels, out=job.out) if job.channels else default_transports(job.out)
    overdue = _tell_overdue(chapters, notified, transports) if notified else []
    warned = _climb(transports, chapters, events, answers, until_us=until_us)
    comparisons = _compare(book, last.agreement, events.events, warned)
    _write_tables(job.out, archive, events, warned)
    entries = entries_of(
        chapters,
        archive=archive,
        events=events.events,
        warned=warned,
        notified=notified,
        overdue=overdue,
        signatures=signatures,
        book=book,
    )
    checkpoint, vkey = _record(job.out, last, entries, custody=custody)
    return Replay(
        job=job,
        chapters=tuple(chapters),
        findings=lint(last.agreement),
        unwatched=tuple(rule for engine in engines for rule in engine.unwatched),
        archive=archive,
        reports=archive.reports,
        repeated=repeated,
        events=events,
        warned=warned,
        answers=answers,
        comparisons=comparisons,
        checkpoint=checkpoint,
        vkey=vkey,
        notified=notified,
    )


def _versions(job: Job) -> tuple[list[Signed], list[Chapter]]:
    """Return the versions that are ever in force, and the verified signatures that say so."""
    versions = load_versions(job.agreement, job.versions)
    if not job.signatures:
        return [], chapters_of(versions)
    if job.keys is None:
        place = Place(str(job.signatures[0]))
        raise SettingError("signatures without keys", expected="a file of `party: public key`", place=place)
    signatures = read_signatures(job.signatures, versions, keys=read_keys(job.keys))
    return signatures, chapters_of(versions, signatures)


def _check_channels(job: Job) -> None:
    """Build the channels in a folder that is thrown away, so that a refusal comes before anything is replaced."""
    if job.channels:
        with tempfile.TemporaryDirectory() as nowhere:
            load_transports(job.channels, out=Path(nowhere))


def _tell_overdue(
    chapters: Sequence[Chapter], notified: Notified, transports: Transports
) -> list[tuple[int, NoticeTold]]:
    """Tell parties of overdue receipts, one attempt a channel; return what the record has of it, and when."""
    told: list[tuple[int, NoticeTold]] = []
    for fact in notified.register.facts:
        messages, records = tell_overdue(fact, chapter_at(chapters, fact.at_us).playbook, now_us=fact.at_us)
        told += [(fact.at_us, record) for record in records]
        for about, ways in (((fact.notice, fact.party), ways) for ways in messages):
            for number, message in enumerate(ways):
                told += [(fact.at_us, message_record(about, message))] if number else []
                outcome = transports.send(message, fact.at_us)
                told.append((fact.at_us, outcome_record(about, message, outcome)))
                if outcome.state in OUT:
                    break
    return told


def _climb(
    transports: Transports, chapters: Sequence[Chapter], events: EventChain, answers: Answers, *, until_us: int
) -> WarnResult:
    """Climb the ladder of each version in its time, and send by the channels that the job names, else to files."""
    (_, first), *later = [(chapter.from_us or 0, chapter.playbook) for chapter in chapters]
    return run(first, events, answers.answers, transports, until_us=until_us, boundary=boundary_words, later=later)


def _record(out: Path, last: Chapter, entries: Sequence[Entry], *, custody: Custody | None) -> tuple[Checkpoint, str]:
    """Log everything decided and sign it; return the checkpoint and the key.

    Witnesses are named and not asked: a replay's record is nobody's live log, and says that it is unwitnessed.
    """
    key = create_key(out / "keys" / "log.key", f"tocsin.replay/{last.agreement.id}/{last.watchlist.version}")
    entries = [*([witnesses_entry(custody, key.vkey, at_us=0)] if custody else []), *entries]
    with Log.create(out, key=key) as log:
        for start in range(0, len(entries), MAX_UNPUBLISHED):
            log.append(entries[start : start + MAX_UNPUBLISHED])
        return log.publish(), str(key.vkey)


def _clear(out: Path) -> None:
    """Make an empty folder, replacing an older replay and nothing else."""
    if out.exists() and any(out.iterdir()) and not (out / MARKER).exists():
        raise SettingError(
            "a folder with other files", expected="an empty folder, or an older replay", place=Place(str(out))
        )
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / MARKER).write_bytes(canonical_line({"made_by": f"tocsin {__version__}"}))


def _write_tables(out: Path, archive: Archive, events: EventChain, warned: WarnResult) -> None:
    with (out / "events.jsonl").open("wb") as file:
        file.writelines(event.as_line() for event in events)
    write_events(events.coded(), out / "events.parquet")
    with (out / "cases.jsonl").open("wb") as file:
        file.writelines(case.as_line() for case in warned.cases)
    write_rejects(archive.rejects, out / "rejects.jsonl")


def _write_notified(notified: Notified, out: Path) -> None:
    with (out / "notices.jsonl").open("wb") as file:
        file.writelines(fact.as_line() for fact in notified.register.facts)
    with (out / "notices_refused.jsonl").open("wb") as file:
        file.writelines(
            canonical_line({"place": str(r.place), "reason": r.reason, "text": r.text})
            for r in notified.submissions.refused
        )
    with (out / "conformance.jsonl").open("wb") as file:
        file.writelines(kept.as_line() for kept in notified.conformance)


def _compare(
    book: ClaimBook | None, agreement: Agreement, events: Sequence[Event], warned: WarnResult
) -> tuple[Comparison, ...]:
    """Return each incident's accounts side by side, the sensors' own among them."""
    if book is None:
        return ()
    compared = []
    for incident in book.incidents:
        claims = [*book.claims, *claims_of_sensors(incident, events=events, cases=warned.cases)]
        names = book.names.joined(_aliases(agreement, book.names))
        compared.append(compare(incident, claims, sources=[*book.sources, SYSTEM], names=names))
    return tuple(compared)


def _aliases(agreement: Agreement, told: Names) -> Iterable[AliasGroup]:
    """Return the names that the agreement gives its parties, less those that the claims' file gives to somebody else.

    Who answers to whom is a relation, never an alias.
    """
    for party in given(agreement.parties) or ():
        chief = given(party.answers_to)
        free = [
            n for n in (given(party.name), *(given(party.aliases) or ())) if n and told.resolve(n) in (None, party.id)
        ]
        yield AliasGroup(
            actor_id=party.id,
            preferred=free[0] if free else party.id,
            alternates=tuple(free[1:]),
            part_of=(chief.party,) if chief else (),
        )
