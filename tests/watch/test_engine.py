"""The engine against its slow twin, and the promise that a batch's end means nothing (P2, P3)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.common import NOON_US, S, batch, report
from tests.naive_watch import naive_events
from tests.watch.detect.fleets import one_zone
from tests.watch.strategies import random_reports, random_watchlist

from tocsin.geo.shapes import polygon
from tocsin.ids import text_key
from tocsin.tracks.batch import ReportBatch
from tocsin.units import parse_instant_us
from tocsin.watch import event_ids
from tocsin.watch.engine import Engine
from tocsin.watch.event import EVENT_SCHEMA, MEASURES, Event, EventKind, event_id, write_events
from tocsin.watch.found import KINDS, EventBatch
from tocsin.watch.replay import replay
from tocsin.watch.state import WatchState, dump_state, load_state

APPROACHES = (EventKind.APPROACH, EventKind.APPROACH_ENDED)
TOLERANCE_US = 200_000
"""The twin walks straight in lon/lat, the engine on the geodesic: centimetres apart on these ways of minutes."""


def _brief(events: Iterable[Event]) -> list[tuple[str, str, str, int, int]]:
    return sorted(
        (e.kind.value, e.zone_id, e.track_id, e.at_us, e.visit_us) for e in events if e.kind not in APPROACHES
    )


@settings(max_examples=60, derandomize=True)  # a graze could tell the two ways apart
@given(seed=st.integers(0, 2**32 - 1), plain=st.booleans())
def test_step_finds_what_the_slow_twin_finds(seed: int, plain: bool) -> None:
    rng = np.random.default_rng(seed)
    watchlist, reports = random_watchlist(rng, plain=plain), random_reports(rng)
    _, events = Engine(watchlist).step(WatchState(), reports)
    fast, slow = _brief(events), naive_events(watchlist, reports, int(reports.observed_us.max()))
    assert [f[:3] for f in fast] == [s[:3] for s in slow]
    for f, s in zip(fast, slow, strict=True):
        assert abs(f[3] - s[3]) <= TOLERANCE_US, (f, s)
        assert abs(f[4] - s[4]) <= TOLERANCE_US, (f, s)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 300), max_size=8))
def test_step_cut_anywhere_and_restarted_gives_the_same_bytes(seed: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    watchlist, reports = random_watchlist(rng), random_reports(rng)
    engine = Engine(watchlist)
    _, whole = engine.step(WatchState(), reports)
    state, parts = WatchState(), []
    bounds = sorted({0, 300, *cuts})
    for a, b in pairwise(bounds):
        state, found = Engine(watchlist).step(load_state(dump_state(state)), reports.take(slice(a, b)))
        parts += found
    parts.sort(key=lambda e: e.order)
    assert [e.as_line() for e in parts] == [e.as_line() for e in whole]


def test_step_of_batches_with_other_lists_of_names_tells_of_the_same_tracks() -> None:
    """The fault: words kept from a batch before, when this one brought new names or the same in another order."""
    rng = np.random.default_rng(7)
    watchlist, reports = random_watchlist(rng), random_reports(rng)
    engine, state, parts = Engine(watchlist), WatchState(), []
    _, whole = engine.step(WatchState(), reports)
    for k, (a, b) in enumerate(pairwise((0, 5, 40, 80, 120, 200, 250, 300))):
        part = reports.take(slice(a, b))
        state, found = engine.step(state, part if k in (2, 3, 5) else ReportBatch.from_table(part.to_table()))
        parts += found
    assert len(parts) == len(whole) > 20
    assert [e.as_line() for e in sorted(parts, key=lambda e: e.order)] == [e.as_line() for e in whole]


def test_step_of_many_zones_and_rows_outgrows_every_room() -> None:
    rng = np.random.default_rng(5)
    watchlist, reports = random_watchlist(rng, 400, plain=True), random_reports(rng, 2_000, 40)
    state, events = Engine(watchlist).step(WatchState(), reports)
    assert len(events) > 8_192
    assert len(state.episodes) > 1_024
    assert [e.order for e in events] == sorted(e.order for e in events)
    assert len({e.event_id for e in events}) == len(events)


def test_step_refuses_a_report_older_than_the_last() -> None:
    rng = np.random.default_rng(1)
    reports = random_reports(rng).take(np.arange(300)[::-1])
    with pytest.raises(ValueError, match="older than the track's last fix"):
        Engine(random_watchlist(rng)).step(WatchState(), reports)


def test_step_takes_columns_whose_values_lie_apart_and_refuses_other_values() -> None:
    """The fault: code made for columns of one kind reads another's bytes."""
    rng = np.random.default_rng(5)
    watchlist, reports = random_watchlist(rng), random_reports(rng)
    _, told = Engine(watchlist).step(WatchState(), reports)
    doubled = reports.take(np.repeat(np.arange(len(reports)), 2)).take(slice(0, None, 2))
    assert not doubled.lat_deg.flags.c_contiguous and len(told)
    for mixed in (doubled, replace(reports, alt_m=doubled.alt_m), replace(doubled, observed_us=reports.observed_us)):
        _, events = Engine(watchlist).step(WatchState(), mixed)
        assert [e.as_line() for e in events] == [e.as_line() for e in told]
    for name, kind in (("lat_deg", np.int64), ("track", np.float32), ("alt_m", np.float64)):
        wrong = replace(reports, **{name: getattr(reports, name).astype(kind)})
        with pytest.raises(ValueError, match=rf"found columns of .*'{np.dtype(kind)}'.*expected .*'float64'"):
            Engine(watchlist).step(WatchState(), wrong)


def test_names_that_come_later_or_twice_keep_their_codes() -> None:
    state = WatchState()
    first = state.codes(np.array([2, 0, 1, -1], np.int32), ("a", "b", "a"), state.track_ids)
    assert state.track_ids == {"a": 0, "b": 1} and first.tolist() == [0, 0, 1, -1]
    more = state.codes(np.array([0, 1, -1], np.int32), ("b", "c"), state.track_ids)
    assert state.track_ids == {"a": 0, "b": 1, "c": 2} and more.tolist() == [1, 2, -1]
    again = state.codes(np.array([0, 1, -1], np.int32), ("x", "y"), state.feeds)
    assert state.feeds == {"x": 0, "y": 1} and again.tolist() == [0, 1, -1]


def test_step_of_nothing_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    engine = Engine(random_watchlist(rng))
    state, events = engine.step(WatchState(), random_reports(rng).take(slice(0, 0)))
    assert len(events) == 0
    assert state.watermark_us is None


def test_table_holds_what_the_events_say() -> None:
    rng = np.random.default_rng(11)
    _, events = Engine(random_watchlist(rng)).step(WatchState(), random_reports(rng))
    table = events.table()
    assert table.schema.equals(EVENT_SCHEMA)
    for row, event in zip(table.to_pylist(), events, strict=True):
        assert row["event_id"] == event.event_id
        assert (row["kind"], row["rule_id"], row["track_id"]) == (event.kind, event.rule_id, event.track_id)
        assert (row["party"], row["category"], row["exemption"]) == (event.party, event.category, event.exemption)
        assert parse_instant_us(row["at"]) == event.at_us
        assert {name: row[name] for name in MEASURES if row[name] is not None} == event.measured
        assert (row["before_lat_deg"] is None) == (event.before is None)


def test_what_is_written_coded_is_read_as_the_words_themselves(tmp_path: Path) -> None:
    """Would catch a file whose words are numbers to its readers, and words that a list has twice."""
    rng = np.random.default_rng(11)
    _, events = Engine(random_watchlist(rng)).step(WatchState(), random_reports(rng))
    listed = events.coded()["clause"].chunk(0).dictionary.to_pylist()
    assert len(listed) == len(set(listed))
    for found in (events, EventBatch(events.rows[:0], events.words)):
        write_events(found.coded(), tmp_path / "coded.parquet")
        write_events(found.table(), tmp_path / "plain.parquet")
        coded, plain = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("coded", "plain"))
        assert coded.schema.equals(EVENT_SCHEMA) and plain.schema.equals(EVENT_SCHEMA)
        assert str(coded.to_pylist()) == str(plain.to_pylist()) == str(found.table().to_pylist())


def test_ids_of_many_events_are_those_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(11)
    _, events = Engine(random_watchlist(rng)).step(WatchState(), random_reports(rng))
    rows, words = events.rows.copy(), events.words
    rows["other"][::3] = rng.integers(0, len(words.tracks), len(rows[::3]))
    of_each = event_ids.event_ids(rows, words.watchlist, words.tracks, KINDS)
    monkeypatch.setattr(event_ids, "MANY", 1)
    assert event_ids.event_ids(rows, words.watchlist, words.tracks, KINDS).tobytes() == of_each.tobytes()
    row = rows[0]
    rule = words.watchlist.rules[row["rule"]]
    assert of_each[0].tobytes().hex() == event_id(
        agreement=words.watchlist.digest,
        rule=text_key(rule.rule_id),
        zone=text_key(words.watchlist.zones[rule.zone].zone_id),
        track=text_key(words.tracks[row["track"]]),
        other=text_key(words.tracks[row["other"]]),
        kind=KINDS[row["code"]],
        visit_us=int(row["visit_us"]),
    )


def test_event_id_is_the_hash_of_what_the_event_is() -> None:
    rng = np.random.default_rng(11)
    watchlist = random_watchlist(rng)
    _, events = Engine(watchlist).step(WatchState(), random_reports(rng))
    for event in events:
        assert event.event_id == event_id(
            agreement=watchlist.digest,
            rule=text_key(event.rule_id),
            zone=text_key(event.zone_id),
            track=text_key(event.track_id),
            kind=event.kind,
            visit_us=event.visit_us,
        )


def test_a_long_way_that_bulges_into_the_next_row_of_cells_is_seen() -> None:
    """Both fixes lie south of 45° N in a cell without edges; the geodesic between them passes 70 m to its north."""
    strip = [(45.0003, 10.4), (45.0003, 10.6), (45.0010, 10.6), (45.0010, 10.4), (45.0003, 10.4)]
    told = ((0, 10.05), (60, 10.1), (120, 10.9))
    rows = [report(observed=NOON_US + at * S, lat_deg=44.99999, lon_deg=lon) for at, lon in told]
    events, _ = replay(Engine(one_zone(region=polygon([strip]))), batch(rows))
    assert [event.kind for event in events] == [EventKind.CROSSING]
