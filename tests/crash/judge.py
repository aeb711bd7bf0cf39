"""What must be true of a station after any number of kills, by what it kept and what its receiver got.

The oracle knows nothing of the station: the reports of the file and those whose push was answered are read anew, with
what the station kept of the connection that nobody acknowledges, and replayed by the engine in one piece, each version
of the agreement in its own time. What the station kept is read from the ticks that were remembered after every kill and
from what it gives back itself, hours that went into the archive among it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace
from tests.crash.station import LATENESS_S, Station
from tests.sim.ledger import replayed

from tocsin.record.verifier.verify import verify_folder
from tocsin.station.core.inputs import load_inputs
from tocsin.station.core.state import State, begin
from tocsin.station.core.step import tick
from tocsin.station.core.terms import AgreementText, Terms, compile_terms
from tocsin.station.durable.rows import restore
from tocsin.station.past.journal import Ahead, reports_of
from tocsin.store.store import KeptTick, Store
from tocsin.tracks.archive import read_tracks
from tocsin.tracks.batch import EMPTY, ReportBatch, concat
from tocsin.tracks.packed import load_batch
from tocsin.warn.states import MessageState

GIVEN_UP = frozenset({MessageState.UNKNOWN, MessageState.FAILED_FOR_GOOD})
"""States of a message that is not tried any further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a run.

    Attributes
    ----------
    reports, events, cases, steps, messages : int
        Reports: written to the file or answered, and kept of those that nobody answers.
    again : int
        Pushes that had to be made again.
    lost, missing, extra, doubled : int
        Reports; final events that the oracle has and the station has not; the other way; things said twice.
    given_up : int
        Messages that never came, since their time was over before an attempt was: recorded so, and the ladder went on.
    in_doubt : int
        Attempts whose outcome a kill took away.
    extra_deliveries : int
        Deliveries beyond the first of each message.
    versions, keys, packs, hours : int
        Of the agreement that were in force; of the record that were handed over to; disclosed; that were archived.
    faults : tuple of str
        What must not be, a sentence each.
    """

    reports: int
    again: int
    events: int
    cases: int
    steps: int
    messages: int
    lost: int
    missing: int
    extra: int
    doubled: int
    given_up: int
    in_doubt: int
    extra_deliveries: int
    versions: int
    keys: int
    packs: int
    hours: int
    faults: tuple[str, ...]


def judge(station: Station) -> Verdict:
    """Return what is true of a station that was stopped cleanly after its last start."""
    counts = station.counters()
    facts = station.facts()
    stored = [json.loads(row[0]) for row in station.query("SELECT line FROM event WHERE is_final ORDER BY seq")]
    station.remember()
    kept = kept_reports(station)
    sent = sent_reports(station, kept)
    expected = oracle(sent, versions_of(station))
    said = {event["event_id"]: event | {"revision": "opened"} for event in stored}
    said = {key: event for key, event in said.items() if key not in withdrawn_of(stored)}
    missing, extra = expected.keys() - said.keys(), said.keys() - expected.keys()
    other = [key for key in expected.keys() & said.keys() if expected[key] != said[key]]
    lost = sum(lost_of(sent[feed], kept[feed]) for feed in sent)
    queued = {(row[0], row[1]) for row in station.query("SELECT message_id, number FROM outbox")}
    faults = [*_of_counts(counts), *_of_ladder(facts, queued), *_of_record(station), *_of_archive(station)]
    faults += [f"{len(other)} events are told otherwise than the oracle tells them"] if other else []
    delivered = station.delivered()
    messages = {fact["message_id"] for fact in facts if fact["kind"] == "message"}
    told = {fact["message"] for fact in facts if fact.get("what") == "told"}
    health = sum(fact["kind"] == "health" for fact in facts)
    unsent = messages - delivered.keys() - {message for message, _ in queued}
    states = message_states(station)
    unsaid = [key for key in sorted(unsent) if states[key] not in GIVEN_UP]
    faults += [f"the message {key} never came, and is {states[key]}: {_story(facts, key)}" for key in unsaid]
    strangers = [key for key in delivered if key not in messages | told]
    faults += [f"{len(strangers)} deliveries of no message"] if len(strangers) > health else []
    in_doubt = sum(fact["kind"] == "outcome" and fact["outcome"] == "unknown" for fact in facts)
    extra_deliveries = sum(count - 1 for key, count in delivered.items() if key in messages)
    if extra_deliveries > in_doubt:
        faults.append(f"{extra_deliveries} extra deliveries, but only {in_doubt} attempts were in doubt")
    opened = Counter(event["event_id"] for event in stored if event["revision"] == "opened")
    doubled = sum(count - 1 for count in opened.values()) + _doubled(facts)
    return Verdict(
        reports=sum(map(len, sent.values())),
        again=station.pusher.again,
        events=len(stored),
        cases=sum(fact["kind"] == "case_opened" for fact in facts),
        steps=sum(fact["kind"] == "case_step" for fact in facts),
        messages=len(messages),
        lost=lost,
        missing=len(missing),
        extra=len(extra),
        doubled=doubled,
        given_up=len(unsent) - len(unsaid),
        in_doubt=in_doubt,
        extra_deliveries=extra_deliveries,
        versions=len(versions_of(station)),
        keys=station.keeper.counts["Rotate"],
        packs=station.keeper.counts["Disclose"],
        hours=len(station.query("SELECT hour_us FROM archive")),
        faults=tuple(faults),
    )


def message_states(station: Station) -> dict[str, MessageState]:
    """Return the state of every message of every case."""
    cases = [json.loads(row[0]) for row in station.query("SELECT line FROM case_file")]
    return {m["message_id"]: MessageState(m["state"]) for case in cases for m in case["messages"]}


def _story(facts: list[dict[str, Any]], message: str) -> str:
    """Return what became of a message and its case, in short."""
    case = next(fact["case"] for fact in facts if fact["kind"] == "message" and fact["message_id"] == message)
    told = [
        f"{fact['at']} {fact['kind']} {fact.get('outcome') or fact.get('to_state') or ''} {fact.get('reason') or ''}"
        for fact in facts
        if message in (fact.get("message"), fact.get("message_id"))
        or (fact["kind"] == "case_step" and fact["case"] == case)
    ]
    return "; ".join(told[-12:])


def kept_reports(station: Station) -> dict[str, ReportBatch]:
    """Return every report of every tick, by feed."""
    whole = concat([load_batch(tick.reports) for tick in station.ticks if tick.reports])
    parts = {name: whole.take(whole.feed == code) for code, name in enumerate(whole.feeds)}
    return {name: replace(part, feed=np.zeros(len(part), np.int32), feeds=(name,)) for name, part in parts.items()}


def versions_of(station: Station) -> list[tuple[int, Terms]]:
    """Return the agreement versions that came into force, and since when each was."""
    at_us = {tick.tick: tick.at_us for tick in station.ticks}
    rows = station.query("SELECT tick, text FROM agreement ORDER BY tick")
    return [(at_us[row[0]], compile_terms(msgspec.msgpack.decode(row[1], type=AgreementText))) for row in rows]


def withdrawn_of(stored: list[dict[str, Any]]) -> set[str]:
    """Return the events that were told as final and stand no more."""
    newest = {event["event_id"]: event["revision"] for event in stored}
    return {key for key, revision in newest.items() if revision == "withdrawn"}


def sent_reports(station: Station, kept: dict[str, ReportBatch]) -> dict[str, ReportBatch]:
    """Return what the station must have, by feed, each report once."""
    answered = station.folder / "answered.jsonl"
    answered.write_bytes(bytes(station.pusher.answered))
    sent = {"f": read(station.source.path), "h": read(answered), "t": kept.get("t", EMPTY)}
    return {name: replace(batch, feeds=(name,)) for name, batch in sent.items() if len(batch)}


def read(path: Path) -> ReportBatch:
    return read_tracks([path]).reports if path.stat().st_size else EMPTY


def lost_of(sent: ReportBatch, kept: ReportBatch) -> int:
    """Return how many reports were sent and are not kept."""
    return len(named(sent) - named(kept))


def named(batch: ReportBatch) -> set[tuple[str, int]]:
    """Return the track and the time of each report."""
    rows = zip(batch.track.tolist(), batch.observed_us.tolist(), strict=True)
    return {(batch.tracks[who], at_us) for who, at_us in rows}


def oracle(sent: dict[str, ReportBatch], versions: list[tuple[int, Terms]]) -> dict[str, dict[str, object]]:
    """Return the final events of the reports, by id, as far as the live watermark can have come."""
    until_us = min(int(sent[name].observed_us.max()) - LATENESS_S[name] * 1_000_000 for name in sent)
    events = replayed(versions, concat(list(sent.values())), watermark_us=until_us)
    found = [json.loads(event.as_line()) for event in events]
    return {str(event["event_id"]): event for event in found}


def _of_counts(counters: dict[str, Any]) -> list[str]:
    faults = []
    for feed, counts in counters.items():
        accounted = counts["accepted"] + sum(counts["rejected"].values()) + counts["shed"] + counts["duplicate"]
        if counts["received"] != accounted:
            faults.append(f"the counters of {feed} do not add up: {counts}")
        allowed = {"f": (), "h": ("duplicate",), "t": ("rejected",)}[feed]
        odd = {name: counts[name] for name in ("late", "duplicate", "shed", "rejected") if name not in allowed}
        if any(odd.values()):
            faults.append(f"{feed} has {odd}; nothing of that was sent")
    return faults


def _of_ladder(facts: list[dict[str, Any]], queued: set[tuple[str, int]]) -> list[str]:
    """Return what is wrong with cases and attempts; what the stop's last tick decided waits for the next start."""
    opened = Counter(fact["case"] for fact in facts if fact["kind"] == "case_opened")
    faults = [f"case {case} was opened {count} times" for case, count in opened.items() if count > 1]
    steps = [fact for fact in facts if fact["kind"] == "case_step"]
    faults += [f"a step of no case: {fact}" for fact in steps if fact["case"] not in opened]
    attempts = Counter((f["message"], f["number"]) for f in facts if f["kind"] == "attempt")
    outcomes = Counter((f["message"], f["number"]) for f in facts if f["kind"] == "outcome")
    faults += [f"attempt {key} was decided {count} times" for key, count in attempts.items() if count > 1]
    faults += [
        f"attempt {key} has {outcomes[key]} outcomes" for key in attempts if outcomes[key] != (key not in queued)
    ]
    faults += [f"an outcome of no attempt: {key}" for key in outcomes.keys() - attempts.keys()]
    return faults


def _doubled(facts: list[dict[str, Any]]) -> int:
    lines = Counter(json.dumps(fact, sort_keys=True) for fact in facts if fact["kind"] in {"case_step", "message"})
    return sum(count - 1 for count in lines.values())


def _of_record(station: Station) -> list[str]:
    """The record verifies, holds every entry, and a replay of every tick there was decides what was decided."""
    faults = []
    size = verify_folder(station.data).checkpoint.size
    store = Store(station.store_url)
    try:
        state, whole = restore(store, station.data), again(station.ticks)
        assert state is not None
        if state.entry_count != whole.entry_count or state.tick != whole.tick:
            faults.append("a replay from the first tick ends elsewhere than one from the snapshot")
        if size != state.entry_count:
            faults.append(f"the record has {size} entries, the station made {state.entry_count}")
        try:
            station.keeper.at_the_end(entry_count=state.entry_count)
        except AssertionError as error:
            faults.append(f"the keeper: {error}")
    finally:
        store.close()
    return faults


def again(ticks: list[KeptTick]) -> State:
    """Return the state after every tick from the first, each deciding what it decided."""
    state: State | None = None
    for number, kept in enumerate(ticks, start=1):
        assert kept.tick == number and kept.inputs is not None, f"tick {number} was never seen whole"
        inputs = load_inputs(kept.inputs, kept.reports)
        terms = compile_terms(inputs.agreement) if inputs.agreement else None
        if state is None:
            assert terms is not None
            state = begin(terms)
        state, commit = tick(state, inputs, kept.at_us, terms=terms)
        assert commit.digest() == kept.digest, f"tick {number} decides something else"
    assert state is not None
    return state


def _of_archive(station: Station) -> list[str]:
    """What the station gives back, from hour files and from its store, is every report that came."""
    store = Store(station.store_url)
    try:
        back = reports_of(
            store,
            station.data,
            tracks=None,
            from_us=0,
            before_us=2**62,
            last_tick=station.ticks[-1].tick,
            ahead=Ahead(by_feed={}, other_us=2**60),
        )
    finally:
        store.close()
    came = concat([load_batch(kept.reports) for kept in station.ticks if kept.reports])
    if Counter(_rows(back)) != Counter(_rows(came)):
        return [f"{len(back)} reports are read back, {len(came)} came"]
    return []


def _rows(batch: ReportBatch) -> list[tuple[str, int, float, float]]:
    rows = zip(batch.track.tolist(), batch.observed_us.tolist(), batch.lat_deg, batch.lon_deg, strict=True)
    return [(batch.tracks[who], at_us, float(lat), float(lon)) for who, at_us, lat, lon in rows]
