"""The replayed station: an agreement and recorded tracks, carried through every room.

Reports, events, cases, claims, the record. It decides nothing itself; who may be told what is read from the
agreement's routing, and denied where it is silent. The live station is beside it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from tocsin import __version__
from tocsin.agreement.boundary import boundary_words
from tocsin.agreement.compile import compile_playbook, compile_watchlist
from tocsin.agreement.custody import Custody, compile_custody
from tocsin.agreement.lint import lint
from tocsin.agreement.load import load
from tocsin.agreement.model import Agreement
from tocsin.agreement.notices.consent import recipients
from tocsin.agreement.notices.formats.read import read_notices
from tocsin.agreement.notices.rules import compile_rules
from tocsin.agreement.playbook import Playbook
from tocsin.agreement.rules.check import Finding
from tocsin.agreement.terms.state import given
from tocsin.agreement.visible import Policy, Sort, Thing, compile_policy, seers
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
from tocsin.record.leaf import Entry, EntryKind
from tocsin.record.log import MAX_UNPUBLISHED, Log
from tocsin.station.entries import counts_entry, event_entries, fact_entries, kept, version_entry
from tocsin.station.witnesses import witnesses_entry
from tocsin.tracks.archive import Archive, Progress, read_tracks
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.formats.columns import ColumnMap
from tocsin.tracks.quality import write_rejects
from tocsin.warn.ack import Answers, read_answers
from tocsin.warn.channels.config import default_transports, load_transports
from tocsin.warn.dispatch import WarnResult, run
from tocsin.watch.engine import Engine
from tocsin.watch.event import Event
from tocsin.watch.found import EventBatch
from tocsin.watch.notified import Notified, with_notices
from tocsin.watch.replay import replay as replay_watch

MARKER = "replay.json"
"""The file that says that a folder is a replay's, and may be replaced by the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
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
    """

    agreement: Path
    tracks: Sequence[Path]
    out: Path
    columns: ColumnMap | None = None
    answers: Path | None = None
    channels: Path | None = None
    claims: Path | None = None
    notices: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Everything that came of a replay.

    Attributes
    ----------
    job : Job
    agreement : Agreement
    findings : tuple of Finding
    watchlist : Watchlist
    playbook : Playbook
    unwatched : tuple of Rule
        Agreed conduct that this watch does not look for.
    archive : Archive
    reports : ReportBatch
    repeated : int
        Reports that the watch did not use, because their track already had a fix at that instant.
    events : EventBatch
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
    agreement: Agreement
    findings: tuple[Finding, ...]
    watchlist: Watchlist
    playbook: Playbook
    unwatched: tuple[Rule, ...]
    archive: Archive
    reports: ReportBatch
    repeated: int
    events: EventBatch
    warned: WarnResult
    answers: Answers
    comparisons: tuple[Comparison, ...]
    checkpoint: Checkpoint
    vkey: str
    notified: Notified | None = None


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
    agreement = load(job.agreement)
    watchlist, playbook = compile_watchlist(agreement), compile_playbook(agreement)
    answers = read_answers(job.answers) if job.answers else Answers(answers=(), rejected=(), read=0)
    book = load_claims(job.claims) if job.claims else None
    told = read_notices(job.notices) if job.notices else None
    rules = compile_rules(agreement, watchlist) if told else None
    policy, custody = compile_policy(agreement), compile_custody(agreement)
    archive = read_tracks(job.tracks, columns=job.columns, progress=reading)
    try:
        engine = Engine(watchlist)
    except ValueError as error:
        raise SettingError(str(error), expected="rules that can be watched", place=Place(str(job.agreement))) from error

    _clear(job.out)
    reports = ReportBatch.from_table(archive.table)
    events, state = replay_watch(engine, reports, progress=watching)
    transports = load_transports(job.channels, out=job.out) if job.channels else default_transports(job.out)
    until_us = max([0, *reports.observed_us[-1:].tolist()])
    notified = None
    if told and rules:
        events, notified = with_notices(
            told, rules=rules, watchlist=watchlist, events=events, reports=reports, until_us=until_us
        )
        _write_notified(notified, job.out)
    warned = run(playbook, events, answers.answers, transports, until_us=until_us, boundary=boundary_words)
    comparisons = _compare(book, agreement, events.events, warned)
    findings = lint(agreement)
    _write_tables(job.out, archive, events, warned)
    notices = _notice_entries(notified, policy) if notified else ()
    checkpoint, vkey = _record(
        job.out, agreement, archive, events.events, warned, book, policy, tuple(notices), custody=custody
    )
    return Replay(
        job=job,
        agreement=agreement,
        findings=findings,
        watchlist=watchlist,
        playbook=playbook,
        unwatched=engine.unwatched,
        archive=archive,
        reports=reports,
        repeated=state.repeated,
        events=events,
        warned=warned,
        answers=answers,
        comparisons=comparisons,
        checkpoint=checkpoint,
        vkey=vkey,
        notified=notified,
    )


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


def _write_tables(out: Path, archive: Archive, events: EventBatch, warned: WarnResult) -> None:
    with (out / "events.jsonl").open("wb") as file:
        file.writelines(event.as_line() for event in events)
    pq.write_table(events.table(), out / "events.parquet", compression="zstd")
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


# --- the record -----------------------------------------------------------------------------------------------------


def _record(
    out: Path,
    agreement: Agreement,
    archive: Archive,
    events: Sequence[Event],
    warned: WarnResult,
    book: ClaimBook | None,
    policy: Policy,
    notices: Sequence[Entry] = (),
    *,
    custody: Custody | None,
) -> tuple[Checkpoint, str]:
    """Log everything decided, in the order in which it became known, and sign it; return the checkpoint and the key.

    Witnesses are named and not asked: a replay's record is nobody's live log, and says that it is unwitnessed.
    """
    end_us = max([0, *(e.known_us for e in events)])
    key = create_key(out / "keys" / "log.key", f"tocsin.replay/{agreement.id}/{given(agreement.version) or 0}")
    parties = frozenset(party.id for party in given(agreement.parties) or ())
    entries = [
        *([witnesses_entry(custody, key.vkey, at_us=0)] if custody else []),
        *_opening_entries(policy, agreement, archive, end_us),
        *sorted(
            [*notices, *event_entries(policy, events), *fact_entries(policy, parties, warned.facts)],
            key=lambda entry: entry.at_us,
        ),
        *_claim_entries(policy, book, end_us),
    ]
    with Log.create(out, key=key) as log:
        for start in range(0, len(entries), MAX_UNPUBLISHED):
            log.append([kept(entry) for entry in entries[start : start + MAX_UNPUBLISHED]])
        return log.publish(), str(key.vkey)


def _opening_entries(policy: Policy, agreement: Agreement, archive: Archive, end_us: int) -> Iterable[Entry]:
    yield version_entry(agreement, at_us=0)
    counts = {Path(name).name: counted.as_json() for name, counted in archive.counts.items()}
    yield counts_entry(policy, counts, at_us=0, until_us=end_us)


def _notice_entries(notified: Notified, policy: Policy) -> Iterable[Entry]:
    """Yield what happened to notices and how their tracks kept to them, each for those who may be shown the notice."""
    register = notified.register

    def told(notice_id: str | None, at_us: int, party: str) -> frozenset[str]:
        held = register.held.get(notice_id or "")
        if held is None:
            return frozenset({party})
        may = recipients(held, register.rules, now_us=at_us)
        thing = Thing(sort=Sort.NOTICE, at_us=at_us, party=party, notice=str(held.notice.rule), consented=may)
        return seers(policy, thing=thing, now_us=at_us) | {party}

    for fact in register.facts:
        audience = told(fact.notice, fact.at_us, fact.party) | set(fact.tell)
        yield Entry(kind=EntryKind.NOTICE, at_us=fact.at_us, audience=audience, payload=fact.as_json())
    for flown in notified.conformance:
        payload = {"fact": "conformance", **flown.as_json()}
        audience = told(flown.notice_id, flown.until_us, flown.party)
        yield Entry(kind=EntryKind.NOTICE, at_us=flown.until_us, audience=audience, payload=payload)


def _claim_entries(policy: Policy, book: ClaimBook | None, at_us: int) -> Iterable[Entry]:
    told = seers(policy, thing=Thing(sort=Sort.CLAIM, at_us=at_us), now_us=at_us)
    for claim in book.claims if book else ():
        yield Entry(kind=EntryKind.CLAIM, at_us=at_us, audience=told, payload=claim.as_json())
