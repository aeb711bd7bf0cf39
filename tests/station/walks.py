"""Vessels that cross the ring of the tests to and fro, as deliveries in a seeded order of arrival, and a station."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from tocsin.station.core.inputs import Inputs, of_deliveries
from tocsin.station.core.state import Commit, State, begin
from tocsin.station.core.step import tick
from tocsin.station.core.terms import AgreementText, Terms, compile_terms, read_text
from tocsin.tracks.batch import ReportBatch
from tocsin.tracks.feeds.feed import Delivery
from tocsin.tracks.order import FeedPolicy
from tocsin.tracks.report import FLOAT32_COLUMNS
from tocsin.warn.inputs import Reported
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Outcome

SECOND = 1_000_000
START = 1_790_000_000 * SECOND
WRITTEN: AgreementText = read_text(Path(__file__).parent / "agreement.yaml")
FEEDS = {"f": FeedPolicy(lateness_us=60 * SECOND), "g": FeedPolicy(lateness_us=60 * SECOND)}


def terms() -> Terms:
    return compile_terms(WRITTEN)


def walk(rng: np.random.Generator, n: int, tracks: int = 3, *, feed: str = "f") -> ReportBatch:
    """Return n reports, a second apart, of vessels that cross the ring to and fro."""
    who = rng.integers(0, tracks, n)
    at_us = START + np.arange(n) * SECOND
    phase = np.arange(n) / 40 + who
    return ReportBatch(
        track=who.astype(np.int32),
        observed_us=at_us,
        received_us=at_us,
        lat_deg=55 + 0.002 * who,
        lon_deg=10 + 0.06 * np.sin(phase),
        **{name: np.full(n, np.nan, np.float32) for name in FLOAT32_COLUMNS},
        feed=np.zeros(n, np.int32),
        party=np.full(n, -1, np.int32),
        category=np.full(n, -1, np.int32),
        tracks=tuple(f"dev:{feed}{i}" for i in range(tracks)),
        feeds=(feed,),
        parties=(),
        categories=(),
    )


def arrivals(rng: np.random.Generator, batch: ReportBatch, *, late_s: int = 15) -> list[tuple[int, Delivery]]:
    """Return the reports as deliveries with their time, a little late, some twice, in order of arrival."""
    rows = np.concatenate([np.arange(len(batch)), rng.choice(len(batch), len(batch) // 10)])
    at_us = batch.observed_us[rows] + rng.integers(0, late_s * SECOND, len(rows))
    order = np.argsort(at_us, kind="stable")
    rows, at_us = rows[order], at_us[order]
    cuts = np.unique(np.r_[0, rng.integers(0, len(rows), len(rows) // 5), len(rows)])
    made = []
    for first, last in pairwise(cuts):
        part = batch.take(rows[first:last])
        feed = batch.feeds[0]
        delivery = Delivery(feed=feed, batch=part, rejects=(), read=len(part), position=str(last))
        made.append((int(at_us[last - 1]), delivery))
    return made


def run(deliveries: list[tuple[int, Delivery]], state: State | None = None, *, until_s: int = 600) -> list[Commit]:
    """Drive a station over deliveries, every attempt handed over a second after it was decided; return the commits."""
    made: list[Commit] = []
    for inputs, now_us, version in script(deliveries, until_s=until_s, made=made, state=state):
        state = state or begin(version)
        state, commit = tick(state, inputs, now_us, terms=version)
        made.append(commit)
    return made


def script(deliveries, *, until_s, made, state=None):
    """Yield each tick's inputs, time and terms; what was decided before comes back in them as outcomes."""
    times: dict[int, list[Delivery]] = {}
    for at_us, delivery in deliveries:
        times.setdefault(at_us, []).append(delivery)
    end_us = max(times) + until_s * SECOND
    for at_us in range(min(times), end_us, 30 * SECOND):
        times.setdefault(at_us, [])
    if state is None:
        version = terms()
        yield Inputs(agreement=version.written, started=FEEDS), START - SECOND, version
    reported = len(made)
    for at_us in sorted(times):
        batch, rest = of_deliveries(times[at_us])
        outcomes = tuple(
            Reported(
                message_id=send.message.message_id,
                number=send.number,
                outcome=Outcome(state=MessageState.HANDED_OVER, transport="test"),
            )
            for commit in made[reported:]
            for send in commit.sends
        )
        reported = len(made)
        yield Inputs(batch=batch, delivered=rest, outcomes=outcomes), at_us, None
