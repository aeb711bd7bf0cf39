"""What must be true of a station after any number of kills, by what it kept and what its receiver got.

The oracle knows nothing of the station: reports are read from the file anew and replayed by the engine in one piece.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.crash.station import AGREEMENT, Station

from tocsin.record.verifier.verify import verify_folder
from tocsin.station.rows import restore
from tocsin.station.terms import compile_terms, read_text
from tocsin.store.store import Store
from tocsin.tracks.archive import read_tracks
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.state import WatchState


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a run.

    Attributes
    ----------
    reports, events, cases, steps, messages : int
    lost, missing, extra, doubled : int
        Reports; final events that the oracle has and the station has not; the other way; things said twice.
    in_doubt : int
        Attempts whose outcome a kill took away.
    extra_deliveries : int
        Deliveries beyond the first of each message.
    faults : tuple of str
        What must not be, a sentence each.
    """

    reports: int
    events: int
    cases: int
    steps: int
    messages: int
    lost: int
    missing: int
    extra: int
    doubled: int
    in_doubt: int
    extra_deliveries: int
    faults: tuple[str, ...]


def judge(station: Station) -> Verdict:
    """Return what is true of a station that was stopped cleanly after its last start."""
    counts = station.counters()["f"]
    facts = station.facts()
    stored = [json.loads(row[0]) for row in station.query("SELECT line FROM event WHERE is_final ORDER BY seq")]
    expected = oracle(station.source.path)
    said = {event["event_id"]: event for event in stored}
    missing, extra = expected.keys() - said.keys(), said.keys() - expected.keys()
    other = [key for key in expected.keys() & said.keys() if expected[key] != said[key]]
    faults = [*_of_counts(counts), *_of_ladder(facts), *_of_record(station)]
    faults += [f"{len(other)} events are told otherwise than the oracle tells them"] if other else []
    delivered = station.delivered()
    messages = {fact["message_id"] for fact in facts if fact["kind"] == "message"}
    told = {fact["message"] for fact in facts if fact.get("what") == "told"}
    health = sum(fact["kind"] == "health" for fact in facts)
    unsent = messages - delivered.keys()
    faults += [f"{len(unsent)} messages never came to the receiver"] if unsent else []
    strangers = [key for key in delivered if key not in messages | told]
    faults += [f"{len(strangers)} deliveries of no message"] if len(strangers) > health else []
    in_doubt = sum(fact["kind"] == "outcome" and fact["outcome"] == "unknown" for fact in facts)
    extra_deliveries = sum(count - 1 for key, count in delivered.items() if key in messages)
    if extra_deliveries > in_doubt:
        faults.append(f"{extra_deliveries} extra deliveries, but only {in_doubt} attempts were in doubt")
    doubled = len(stored) - len(said) + _doubled(facts)
    return Verdict(
        reports=station.source.count,
        events=len(stored),
        cases=sum(fact["kind"] == "case_opened" for fact in facts),
        steps=sum(fact["kind"] == "case_step" for fact in facts),
        messages=len(messages),
        lost=station.source.count - counts["applied"] - counts["pending"],
        missing=len(missing),
        extra=len(extra),
        doubled=doubled,
        in_doubt=in_doubt,
        extra_deliveries=extra_deliveries,
        faults=tuple(faults),
    )


def oracle(reports: Path) -> dict[str, dict[str, object]]:
    """Return the final events of a file of reports, by id, as far as the live watermark can have come."""
    batch = ReportBatch.from_table(read_tracks([reports]).table)
    engine = compile_terms(read_text(AGREEMENT)).engine
    until_us = int(batch.observed_us.max()) - 1_000_000
    ready = batch.take(batch.observed_us < until_us)
    _, events = engine.step(WatchState(), ready, watermark_us=until_us)
    found = [json.loads(event.as_line()) | {"feed": "f"} for event in events]
    return {str(event["event_id"]): event for event in found}


def _of_counts(counts: dict[str, Any]) -> list[str]:
    faults = []
    if (
        counts["received"]
        != counts["accepted"] + sum(counts["rejected"].values()) + counts["shed"] + counts["duplicate"]
    ):
        faults.append(f"the counters do not add up: {counts}")
    for name in ("late", "duplicate", "shed"):
        if counts[name]:
            faults.append(f"{counts[name]} reports are {name}; the file has none")
    return faults


def _of_ladder(facts: list[dict[str, Any]]) -> list[str]:
    opened = Counter(fact["case"] for fact in facts if fact["kind"] == "case_opened")
    faults = [f"case {case} was opened {count} times" for case, count in opened.items() if count > 1]
    steps = [fact for fact in facts if fact["kind"] == "case_step"]
    faults += [f"a step of no case: {fact}" for fact in steps if fact["case"] not in opened]
    attempts = Counter((f["message"], f["number"]) for f in facts if f["kind"] == "attempt")
    outcomes = Counter((f["message"], f["number"]) for f in facts if f["kind"] == "outcome")
    faults += [f"attempt {key} was decided {count} times" for key, count in attempts.items() if count > 1]
    faults += [f"attempt {key} has {outcomes[key]} outcomes" for key in attempts if outcomes[key] != 1]
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
