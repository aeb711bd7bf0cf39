"""Sequence: events come in the one order (`Event.order`), whichever of its parts has to part them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.watch.strategies import START, random_watchlist

from tocsin.kernels.tables import FOUND, NEVER, NONE
from tocsin.watch.found import EventBatch, Words
from tocsin.watch.sequence import Alphabet

WATCHLIST = random_watchlist(np.random.default_rng(3))
TRACKS = ("t9", "t10", "T1", "é", "dev:2")
ALPHABET = Alphabet(WATCHLIST)


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 60), instants=st.integers(1, 40), tracks=st.integers(1, 5))
def test_events_come_in_the_one_order(seed: int, n: int, instants: int, tracks: int) -> None:
    """Few instants and tracks: events tie in time, in time and track, and in all but the id."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(n, FOUND)
    rows["at_us"] = START + rng.integers(0, instants, n)
    rows["visit_us"] = START + rng.integers(0, 3, n)
    rows["track"] = rng.integers(0, tracks, n)
    rows["rule"] = rng.integers(0, min(len(WATCHLIST.rules), 4), n)
    rows["code"] = rng.integers(0, 3, n)
    rows["other"] = rows["exemption"] = rows["party"] = rows["category"] = NONE
    rows["before_us"] = rows["after_us"] = NEVER
    rows["value"] = np.nan
    rows["known_us"] = np.arange(n)
    codes = {"tracks": dict(zip(TRACKS, range(5), strict=True)), "feeds": {"f": 0}, "parties": {}, "categories": {}}
    batch = EventBatch(rows, Words(WATCHLIST, codes, ALPHABET))
    said = [(event.order, event.known_us) for event in batch]  # `known` tells in which sequence they were found
    assert len(said) == n
    assert said == sorted(said)
