"""What the watch holds in memory: sizes, not times; docs/guide/memory.md states the same numbers."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
from tests.common import S, batch, report
from tests.watch.detect.fleets import FIRST_US, near, one_zone, square, watchlist
from tests.watch.detect.test_proximity import _still
from tests.watch.strategies import ALWAYS

from tocsin.agreement.watchlist import Zone
from tocsin.geo.shapes import polygon
from tocsin.kernels import tables
from tocsin.kernels.detect.meetings import CONTACT
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.engine import Engine
from tocsin.watch.state import WatchState, dump_state

PAGE = Path(__file__).parents[2] / "docs/guide/memory.md"
TRACKS, ZONES, CORNERS = 1_000_000, 10_000, 30
GB = 1_000_000_000


def _stated(what: str) -> float:
    """Return the number that the page gives for something."""
    line = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {what}"))
    (number,) = re.findall(r"[\d.]+", line.rsplit("|", 2)[1].replace(",", ""))
    return float(number)


def _words_bytes(state: WatchState) -> int:
    lists = (state.track_ids, state.parties, state.categories, state.feeds)
    return sum(sys.getsizeof(words) + sum(map(sys.getsizeof, words)) for words in lists)


def _many(n: int) -> ReportBatch:
    """Return one report each of n tracks, spread over an ocean without zones."""
    rng = np.random.default_rng(0)
    blank = np.full(n, np.nan, np.float32)
    at = np.full(n, FIRST_US)
    code = np.zeros(n, np.int32)
    return ReportBatch(
        track=np.arange(n, dtype=np.int32), observed_us=at, received_us=at, lat_deg=rng.uniform(-40, -20, n),
        lon_deg=rng.uniform(-120, -90, n), alt_m=blank, speed_mps=blank, course_deg=blank, heading_deg=blank,
        accuracy_m=blank, feed=code, party=code - 1, category=code - 1,
        tracks=tuple(f"mmsi:{200_000_000 + k}" for k in range(n)), feeds=("f",), parties=(), categories=(),
    )  # fmt: skip


def test_million_tracks_and_ten_thousand_zones_fit_in_two_gigabytes() -> None:
    rng = np.random.default_rng(1)
    places = np.column_stack([rng.uniform(-60, 60, ZONES), rng.uniform(-170, 170, ZONES)])
    turn = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    zones = []
    for k, (lat, lon) in enumerate(places):
        reach = 10 ** rng.uniform(-2, -0.3) * rng.uniform(0.5, 1.0, CORNERS)
        ring = np.column_stack([lat + reach * np.sin(turn), lon + reach * np.cos(turn)]).tolist()
        region = polygon([[*map(tuple, ring), tuple(ring[0])]])
        zones.append(Zone(zone_id=f"z{k}", kind="k", clause="z", region=region, schedule=ALWAYS))
    engine = Engine(watchlist(zones, []))
    state, _ = engine.step(WatchState(), _many(TRACKS))
    atlas = sum(part.nbytes for part in engine.atlas.arrays if isinstance(part, np.ndarray))
    tracks = state.tracks.nbytes + state.episodes.nbytes
    words = _words_bytes(state)
    assert len(state.track_ids) == TRACKS
    assert 2 * tracks + words + atlas < 2 * GB, "a live watch keeps two such states, with one list of words"
    assert tracks / TRACKS <= 1.1 * _stated("an idle track")
    assert words / TRACKS <= 1.1 * _stated("the name of a track")
    assert atlas / (ZONES * CORNERS) <= 1.2 * _stated("an edge of a zone, of 10,000 zones")


def test_page_states_the_sizes_of_rows() -> None:
    assert _stated("an idle track") == tables.TRACK.itemsize
    assert _stated("an episode") == tables.EPISODE.itemsize
    assert _stated("a way that waits") == tables.LEG.itemsize
    assert _stated("two tracks near each other") == CONTACT.itemsize


def test_atlas_of_one_long_outline_is_as_much_an_edge_as_the_page_says() -> None:
    rng = np.random.default_rng(3)
    turn = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    reach = rng.uniform(0.98, 1.0, len(turn))
    ring = np.column_stack([33 + reach * np.sin(turn), 38 + reach * np.cos(turn)]).tolist()
    zone = Zone(
        zone_id="z", kind="k", clause="z", region=polygon([[*map(tuple, ring), tuple(ring[0])]]), schedule=ALWAYS
    )
    empty = Engine(watchlist([], [])).atlas.arrays
    arrays = Engine(watchlist([zone], [])).atlas.arrays
    size, least = (sum(p.nbytes for p in a if isinstance(p, np.ndarray)) for a in (arrays, empty))
    assert (size - least) / 100_000 <= 1.2 * _stated("an edge of a zone, of one long ragged outline")


def test_idle_tracks_and_old_meetings_are_not_kept_on() -> None:
    """The fault: memory that grows with the reports and not with the tracks."""
    engine, state, sizes = Engine(one_zone(near(200, 600))), WatchState(), []
    for hour in range(30):
        rows = [*_still("dev:1", 0, 0, 3_540), *_still("dev:2", 0, 100, 3_540)]
        moved = [{**row, "observed": row["observed"] + hour * 3_600 * S} for row in rows]
        moved.sort(key=lambda row: (row["observed"], row["track_id"]))
        state, _ = engine.step(state, batch(moved))
        sizes.append(len(dump_state(state)))
    assert max(sizes[5:]) <= 1.01 * min(sizes[5:])


def test_track_far_from_every_zone_costs_its_row_and_no_more() -> None:
    engine, state = Engine(one_zone(region=square(33.0, 38.0, 0.1))), WatchState()
    rows = [
        report(track_id=f"dev:{k % 50}", observed=FIRST_US + k * S, lat_deg=-33.0, lon_deg=k / 99) for k in range(999)
    ]
    state, _ = engine.step(state, batch(rows))
    assert int(state.free[1]) == len(state.episodes), "no episode"
