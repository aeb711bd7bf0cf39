"""Snapshot: everything a live watch remembers, as bytes that another process can go on from.

The settled watch, the watch at arrival, the reports that wait and the provisional events that are open (DESIGN P2, P4).
Policies of feeds are settings and come from outside. Not a format for archives: a version of Tocsin reads its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec
import numpy as np

from tocsin.tracks.order import FeedPolicy, Reorder
from tocsin.tracks.waiting import ROW, Waiting
from tocsin.watch.event import Event
from tocsin.watch.live import LiveState
from tocsin.watch.state import dump_state, load_state

FORMAT = "tocsin-live-state/3"


class _Dump(msgspec.Struct, kw_only=True):
    """A live watch as it is kept; `waiting` are rows of `ROW`, and `arrived` has the words of `settled`."""

    format: str
    layout: str
    watermark_us: int
    newest_us: dict[str, int]
    looked_us: int
    again: list[int]
    words: dict[str, list[str]]
    waiting: memoryview
    settled: memoryview
    arrived: memoryview
    open: list[memoryview]


def dump_live(state: LiveState) -> bytes:
    """Return the state of a live watch as bytes that `load_live` reads."""
    waiting = state.order.waiting
    rows = np.concatenate([np.empty(0, ROW), *waiting.runs])
    return msgspec.msgpack.encode(
        _Dump(
            format=FORMAT,
            layout=str(ROW),
            watermark_us=state.order.watermark_us,
            newest_us=dict(state.order.newest_us),
            looked_us=state.looked_us,
            again=sorted(state.again),
            words={word: known.names for word, known in waiting.words.items()},
            waiting=rows.view(np.uint8).data,
            settled=memoryview(dump_state(state.settled)),
            arrived=memoryview(dump_state(state.arrived, words_of=state.settled)),
            open=[memoryview(event.as_line()) for event in state.open.values()],
        )
    )


def load_live(dump: bytes | memoryview, *, feeds: Mapping[str, FeedPolicy], other: FeedPolicy) -> LiveState:
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
    try:
        kept = msgspec.msgpack.decode(dump, type=_Dump)
    except msgspec.MsgspecError as error:
        raise ValueError(f"found no live watch: {error}") from error
    if kept.format != FORMAT:
        raise ValueError(f"found format {kept.format!r}, expected {FORMAT!r}")
    if kept.layout != str(ROW):
        raise ValueError(f"found reports of another layout than {FORMAT}")
    order = Reorder(
        feeds=feeds,
        other=other,
        waiting=Waiting.of_rows(np.frombuffer(kept.waiting, ROW).copy(), kept.words),
        watermark_us=kept.watermark_us,
        newest_us=kept.newest_us,
    )
    state = LiveState(order=order, settled=load_state(kept.settled), looked_us=kept.looked_us)
    state.again = set(kept.again)
    state.arrived = load_state(kept.arrived, words_of=state.settled)
    events = (Event.from_json(json.loads(bytes(line))) for line in kept.open)
    state.open = {event.event_id: event for event in events}
    return state
