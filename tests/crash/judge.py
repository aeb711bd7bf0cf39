"""What must be true of a station after any number of kills, by what it kept and what its receiver got.

The oracle knows nothing of the station: the reports of the file and those whose push was answered are read anew, with
what the station kept of the connection that nobody acknowledges, and replayed by the engine in one piece.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.crash.station import AGREEMENT, LATENESS_S, Station

from tocsin.record.verifier.verify import verify_folder
from tocsin.station.core.terms import compile_terms, read_text
from tocsin.station.durable.rows import restore
from tocsin.store.store import Store
from tocsin.tracks.archive import read_tracks
from tocsin.tracks.batch import EMPTY, ReportBatch, concat
from tocsin.tracks.order import canonical
from tocsin.tracks.packed import load_batch
from tocsin.warn.states import MessageState
from tocsin.watch.state import WatchState

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
    faults: tuple[str, ...]


def judge(station: Station) -> Verdict:
    """Return what is true of a station that was stopped cleanly after its last start."""
    counts = station.counters()
    facts = station.facts()
    stored = [json.loads(row[0]) for row in station.query("SELECT line FROM event WHERE is_final ORDER BY seq")]
    kept = kept_reports(station)
    sent = sent_reports(station, kept)
    expected = oracle(sent)
    said = {event["event_id"]: event for event in stored}
    missing, extra = expected.keys() - said.keys(), said.keys() - expected.keys()
    other = [key for key in expected.keys() & said.keys() if expected[key] != said[key]]
    lost = sum(lost_of(sent[feed], kept[feed]) for feed in sent)
    queued = {(row[0], row[1]) for row in station.query("SELECT message_id, number FROM outbox")}
    faults = [*_of_counts(counts), *_of_ladder(facts, queued), *_of_record(station)]
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
    doubled = len(stored) - len(said) + _doubled(facts)
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
    """Return every report of every tick that the store holds, by feed."""
    store = Store(station.store_url)
    try:
        whole = concat([load_batch(tick.reports) for tick in store.ticks_after(0) if tick.reports])
    finally:
        store.close()
    parts = {name: whole.take(whole.feed == code) for code, name in enumerate(whole.feeds)}
    return {name: replace(part, feed=np.zeros(len(part), np.int32), feeds=(name,)) for name, part in parts.items()}


def sent_reports(station: Station, kept: dict[str, ReportBatch]) -> dict[str, ReportBatch]:
    """Return what the station must have, by feed, each report once."""
    answered = station.folder / "answered.jsonl"
    answered.write_bytes(bytes(station.pusher.answered))
    sent = {"f": read(station.source.path), "h": read(answered), "t": kept.get("t", EMPTY)}
    return {name: replace(batch, feeds=(name,)) for name, batch in sent.items() if len(batch)}


def read(path: Path) -> ReportBatch:
    return ReportBatch.from_table(read_tracks([path]).table) if path.stat().st_size else EMPTY


def lost_of(sent: ReportBatch, kept: ReportBatch) -> int:
    """Return how many reports were sent and are not kept."""
    return len(named(sent) - named(kept))


def named(batch: ReportBatch) -> set[tuple[str, int]]:
    """Return the track and the time of each report."""
    rows = zip(batch.track.tolist(), batch.observed_us.tolist(), strict=True)
    return {(batch.tracks[who], at_us) for who, at_us in rows}


def oracle(sent: dict[str, ReportBatch]) -> dict[str, dict[str, object]]:
    """Return the final events of the reports, by id, as far as the live watermark can have come."""
    whole = concat(list(sent.values()))
    engine = compile_terms(read_text(AGREEMENT)).engine
    until_us = min(int(sent[name].observed_us.max()) - LATENESS_S[name] * 1_000_000 for name in sent)
    ready = whole.take(whole.observed_us < until_us)
    _, events = engine.step(WatchState(), ready.take(canonical(ready).keep), watermark_us=until_us)
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
    """The record verifies, holds every entry, and a replay of every kept tick decides what was decided."""
    faults = []
    size = verify_folder(station.data).checkpoint.size
    store = Store(station.store_url)
    try:
        state = restore(store, station.data)
        whole = restore(store, station.folder / "nowhere")
        assert state is not None and whole is not None
        if state.entry_count != whole.entry_count or state.tick != whole.tick:
            faults.append("a replay from the first tick ends elsewhere than one from the snapshot")
        if size != state.entry_count:
            faults.append(f"the record has {size} entries, the station made {state.entry_count}")
    finally:
        store.close()
    return faults
