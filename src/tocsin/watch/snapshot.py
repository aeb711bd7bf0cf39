"""Snapshot: everything a live watch remembers, as bytes that another process can go on from.

The settled watch, the watch at arrival, the reports that wait and the provisional events that are open (DESIGN P2, P4).
Policies of feeds are settings and come from outside. Not a format for archives: a version of Tocsin reads its own.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import numpy as np

from tocsin.tracks.order import FeedPolicy, Reorder
from tocsin.tracks.waiting import ROW, Waiting
from tocsin.watch.event import Event
from tocsin.watch.live import LiveState
from tocsin.watch.state import dump_state, load_state

FORMAT = "tocsin-live-state/2"


def dump_live(state: LiveState) -> bytes:
    """Return the state of a live watch as bytes that `load_live` reads."""
    waiting = state.order.waiting
    words = {
        "format": FORMAT,
        "watermark_us": state.order.watermark_us,
        "newest_us": dict(state.order.newest_us),
        "looked_us": state.looked_us,
        "again": sorted(state.again),
        "waiting": {word: known.names for word, known in waiting.words.items()},
        "open": [event.as_json() for event in state.open.values()],
    }
    sink = io.BytesIO()
    np.savez(
        sink,
        words=np.frombuffer(json.dumps(words).encode(), np.uint8),
        settled=np.frombuffer(dump_state(state.settled), np.uint8),
        arrived=np.frombuffer(dump_state(state.arrived), np.uint8),
        waiting=np.concatenate([np.empty(0, ROW), *waiting.runs]),
    )
    return sink.getvalue()


def load_live(dump: bytes, *, feeds: Mapping[str, FeedPolicy], other: FeedPolicy) -> LiveState:
    """Return the live watch that `dump_live` wrote.

    Parameters
    ----------
    dump : bytes
    feeds, other : as of `Reorder`
        What is expected of feeds from now on.

    Raises
    ------
    ValueError
        If the bytes are of another version.
    """
    with np.load(io.BytesIO(dump), allow_pickle=False) as parts:
        words = json.loads(parts["words"].tobytes())
        if words.get("format") != FORMAT:
            raise ValueError(f"found format {words.get('format')!r}, expected {FORMAT!r}")
        settled, arrived = (parts[name].tobytes() for name in ("settled", "arrived"))
        rows = parts["waiting"]
    if rows.dtype != ROW:
        raise ValueError(f"found reports of another layout than {FORMAT}")
    order = Reorder(
        feeds=feeds,
        other=other,
        waiting=Waiting.of_rows(rows, words["waiting"]),
        watermark_us=words["watermark_us"],
        newest_us=words["newest_us"],
    )
    state = LiveState(order=order, settled=load_state(settled), looked_us=words["looked_us"])
    state.again = set(words["again"])
    state.arrived = load_state(arrived).like(state.settled)
    events = map(Event.from_json, words["open"])
    state.open = {event.event_id: event for event in events}
    return state
