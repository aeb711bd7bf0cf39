"""What the watch remembers: every track's last fix and episodes, as two arrays and a few lists of names.

A state belongs to one engine at a time: `engine.step` takes it, changes it, and hands it back. `copy` gives a second
one; `dump` and `load` carry it over a restart, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import is_
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tocsin.kernels import tables
from tocsin.kernels.detect.meetings import CONTACT
from tocsin.kernels.held import hold
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.detect.meetings import THIN, TOLD, Meetings
from tocsin.watch.found import Words

FIRST_ROOM = 1_024
"""Tracks that a new state has room for; it doubles as needed."""

FIRST_EPISODES = 4_096
"""Episodes that a new state has room for: more than one report may need (`sweep.MARGIN`); it doubles as needed."""

NO_CLASS = np.zeros(1, np.int32)
"""Classes where none is asked for."""

MEETING_ARRAYS = {"legs": tables.LEG, "contacts": CONTACT, "told": TOLD, "thin": THIN}
"""The arrays of `Meetings`."""

FORMAT = "tocsin-watch-state/8"


class Classes(NamedTuple):
    """How an engine classes the parties, categories and feeds that a state knows: so many of each."""

    whose: object
    many: tuple[int, int, int]
    of_party: NDArray[np.int32]
    of_category: NDArray[np.int32]
    of_feed: NDArray[np.int32]


class Ready(NamedTuple):
    """What an engine sweeps a state's tracks with: the desk, what was put on it, and the code for such a desk."""

    on_it: tuple[Any, ...]
    words: Words
    classes: Classes
    desk: tables.Desk
    sweep: Callable[..., tuple[int, int, int, int]]


@dataclass(slots=True)
class WatchState:
    """The memory of one watch.

    Attributes
    ----------
    tracks, episodes : ndarray of `tables.TRACK`, `tables.EPISODE`
        The first `len(track_ids)` tracks are in use.
    free : ndarray, shape (2,), int64
        First free episode, and how many are free.
    due_us : ndarray, shape (1,), int64
        Until the watermark is past this, it tells nothing by itself; not kept over a restart.
    track_ids, parties, categories, feeds : dict of str to int
        Codes of the words, in the order in which they came.
    began_us : int or None
        Observed time of the first report ever.
    watermark_us : int or None
        No report older than this is expected any more.
    meetings : Meetings or None
        What is remembered of several tracks together; None where each track is watched by itself.
    repeated : int
        Reports not used, because their track already had a fix at exactly that time.
    classes, ready : Classes, Ready or None
        What the engine that last took it worked with; these two are the engine's to keep.
    alike : tuple of tuple of str, or None
        The names of the last batch whose codes were this state's; the same tuple as long as no word is learnt.
    """

    tracks: NDArray[Any] = field(default_factory=lambda: _new_tracks(FIRST_ROOM))
    episodes: NDArray[Any] = field(default_factory=lambda: _new_episodes(FIRST_EPISODES, 0, tables.NONE))
    free: NDArray[np.int64] = field(default_factory=lambda: np.array([0, FIRST_EPISODES], np.int64))
    due_us: NDArray[np.int64] = field(default_factory=lambda: np.array([tables.NEVER], np.int64), compare=False)
    track_ids: dict[str, int] = field(default_factory=dict)
    parties: dict[str, int] = field(default_factory=dict)
    categories: dict[str, int] = field(default_factory=dict)
    feeds: dict[str, int] = field(default_factory=dict)
    began_us: int | None = None
    watermark_us: int | None = None
    repeated: int = 0
    meetings: Meetings | None = field(default_factory=Meetings)
    classes: Classes = field(default=Classes(None, (0, 0, 0), NO_CLASS, NO_CLASS, NO_CLASS), repr=False, compare=False)
    ready: Ready | None = field(default=None, repr=False, compare=False)
    alike: tuple[tuple[str, ...], ...] | None = field(default=None, repr=False, compare=False)
    _held: tables.State | None = field(default=None, repr=False, compare=False)
    _memory: NDArray[Any] | None = field(default=None, repr=False, compare=False)
    _own_codes: dict[int, tuple[Any, Any, Any, bool]] = field(default_factory=dict, repr=False, compare=False)

    def words_of(self, batch: ReportBatch) -> tuple[NDArray[np.int32], ...]:
        """Return a batch's track, feed, party and category as this state's codes, and see that every track has a row.

        They are the batch's own where it names what another did whose codes were; then nothing is looked up.
        """
        own = batch.track, batch.feed, batch.party, batch.category
        names = batch.tracks, batch.feeds, batch.parties, batch.categories
        if names == self.alike:
            return own
        known = self.track_ids, self.feeds, self.parties, self.categories
        codes = tuple(map(self.codes, own, names, known))
        self.make_room_for_tracks()
        self.alike = names if all(map(is_, codes, own)) else None
        return codes

    def codes(self, codes: NDArray[np.int32], names: tuple[str, ...], known: dict[str, int]) -> NDArray[np.int32]:
        """Return a batch's codes of words as this state's, giving new names the next codes; `NONE` stays.

        Parameters
        ----------
        codes : ndarray, shape (n,), int32
            Into `names`, or `NONE`.
        names : tuple of str
            The batch's names; the same tuple as the last time, as batches cut from one archive have, costs nothing.
        known : dict of str to int
            One of this state's own.
        """
        whose, of, own, same = self._own_codes.get(id(known), (None, None, None, False))
        if of is not names or whose is not known or own is None:
            own, same = self._learn(names, known)
            self._own_codes[id(known)] = known, names, own, same
        return codes if same else own[codes]

    @staticmethod
    def _learn(names: tuple[str, ...], known: dict[str, int]) -> tuple[NDArray[np.int32], bool]:
        """Return the code of each name, then `NONE`, and whether they are 0, 1, 2 …; new names get the next codes."""
        if not known:
            known.update(zip(names, range(len(names)), strict=True))
            if len(known) == len(names):
                own = np.arange(len(names) + 1, dtype=np.int32)
                own[-1] = tables.NONE
                return own, True
            known.clear()  # a name stands there twice
        found = list(map(known.get, names))
        if None in found:
            found = [known.setdefault(name, len(known)) for name in names]
        return np.array([*found, tables.NONE], np.int32), found == list(range(len(names)))

    def arrays(
        self,
        party_class: NDArray[np.int32] = NO_CLASS,
        category_class: NDArray[np.int32] = NO_CLASS,
        feed_class: NDArray[np.int32] = NO_CLASS,
    ) -> tables.State:
        """Return the state as the kernels take it, with the classes of its parties, categories and feeds.

        The same object each time, as long as its arrays and those given are the same.
        """
        arrays = tables.State(
            self.tracks, self.episodes, self.free, self.due_us, party_class, category_class, feed_class
        )
        if self._held is None or not all(map(is_, self._held, arrays)):
            self._held = hold(arrays)
        return self._held

    def make_room_for_tracks(self) -> None:
        """See that every known track has a row; the memory doubles, and is written to as tracks come."""
        known, had = len(self.track_ids), len(self.tracks)
        if known <= had:
            return
        if self._memory is None or known > len(self._memory):
            self._memory = np.empty(max(known, 2 * had), tables.TRACK)
            _bytes(self._memory)[:had] = _bytes(self.tracks)
        self.tracks = self._memory[: known + FIRST_ROOM]
        _bytes(self.tracks)[had:] = _bytes(_new_tracks(1))

    def make_room_for_episodes(self) -> None:
        """Double the episodes' room."""
        room = len(self.episodes)
        more = _bytes(_new_episodes(room, room, int(self.free[0])))
        self.episodes = np.concatenate([_bytes(self.episodes), more]).ravel().view(tables.EPISODE)
        self.free[:] = room, self.free[1] + room

    def beside(self) -> WatchState:
        """Return a new state that gives words the same codes, now and later, and watches each track by itself."""
        return WatchState(
            track_ids=self.track_ids,
            parties=self.parties,
            categories=self.categories,
            feeds=self.feeds,
            meetings=None,
        )

    def like(self, other: WatchState) -> WatchState:
        """Return this state, its lists of words those of another that gives words the same codes; itself changed."""
        self.track_ids, self.parties = other.track_ids, other.parties
        self.categories, self.feeds = other.categories, other.feeds
        self.alike = None
        return self

    def goes_to_another_engine(self) -> None:
        """Forget until when nothing can happen and where no edge is: that was read from one engine's own."""
        self.tracks["quiet_until_us"] = tables.NEVER
        self.tracks["free_south_deg"] = np.nan
        self.due_us[0] = tables.NEVER

    def frozen(self) -> WatchState:
        """Return this state as it stands, to be dumped while this one goes on; shares what is never written."""
        return WatchState(
            tracks=self.tracks[: len(self.track_ids)].copy(),
            episodes=self.episodes.copy(),
            free=self.free.copy(),
            track_ids=dict(self.track_ids),
            parties=dict(self.parties),
            categories=dict(self.categories),
            feeds=dict(self.feeds),
            began_us=self.began_us,
            watermark_us=self.watermark_us,
            repeated=self.repeated,
            meetings=self.meetings.copy() if self.meetings else None,
        )

    def copy(self) -> WatchState:
        """Return a second state that shares nothing with this one."""
        return load_state(dump_state(self))


class _Dump(msgspec.Struct, kw_only=True):
    """A state as it is kept; `layouts` says how the rows of each of the arrays lie."""

    format: str
    layouts: dict[str, str]
    arrays: dict[str, memoryview]
    track_ids: list[str]
    parties: list[str]
    categories: list[str]
    feeds: list[str]
    began_us: int | None
    watermark_us: int | None
    repeated: int
    decided_us: int | None


def dump_state(state: WatchState, *, words_of: WatchState | None = None) -> bytes:
    """Return the state as bytes that `load_state` reads.

    Parameters
    ----------
    state : WatchState
    words_of : WatchState, optional
        Another one that gives words the same codes and is kept beside it: they are not written twice.
    """
    arrays = {"tracks": state.tracks[: len(state.track_ids)], "episodes": state.episodes, "free": state.free}
    if state.meetings:
        arrays |= {name: getattr(state.meetings, name) for name in MEETING_ARRAYS}
    words = ("track_ids", "parties", "categories", "feeds")
    return msgspec.msgpack.encode(
        _Dump(
            format=FORMAT,
            layouts={name: str(rows.dtype) for name, rows in arrays.items()},
            arrays={name: np.ascontiguousarray(rows).view(np.uint8).data for name, rows in arrays.items()},
            began_us=state.began_us,
            watermark_us=state.watermark_us,
            repeated=state.repeated,
            decided_us=state.meetings.decided_us if state.meetings else None,
            **{word: [] if words_of is not None else list(getattr(state, word)) for word in words},
        )
    )


def load_state(dump: bytes | memoryview, *, words_of: WatchState | None = None) -> WatchState:
    """Return the state that `dump_state` wrote.

    Parameters
    ----------
    dump : bytes
    words_of : WatchState, optional
        As `dump_state` was told; the two share their words from now on.

    Raises
    ------
    ValueError
        If these bytes are not such a dump.
    """
    try:
        kept = msgspec.msgpack.decode(dump, type=_Dump)
    except msgspec.MsgspecError as error:
        raise ValueError(f"found no watch: {error}") from error
    if kept.format != FORMAT:
        raise ValueError(f"found format {kept.format!r}, expected {FORMAT!r}")
    layouts = {"tracks": tables.TRACK, "episodes": tables.EPISODE, "free": np.dtype(np.int64), **MEETING_ARRAYS}
    if any(of != str(layouts[name]) for name, of in kept.layouts.items()):
        raise ValueError(f"found rows of another layout than {FORMAT}")
    rows = {name: np.frombuffer(kept.arrays[name], layouts[name]) for name in kept.arrays}
    tracks = rows.pop("tracks")
    # Copied, so that they are aligned and may be written: both are part of a type, and kernels are compiled for types.
    found = {name: held.copy() for name, held in rows.items()}
    memory = np.empty(len(tracks) + len(tracks) // 4 + FIRST_ROOM, tables.TRACK)
    _bytes(memory)[: len(tracks)] = _bytes(tracks)
    state = WatchState(
        tracks=memory[: len(tracks)],
        episodes=found.pop("episodes"),
        free=found.pop("free"),
        track_ids=_numbered(kept.track_ids),
        parties=_numbered(kept.parties),
        categories=_numbered(kept.categories),
        feeds=_numbered(kept.feeds),
        began_us=kept.began_us,
        watermark_us=kept.watermark_us,
        repeated=kept.repeated,
        meetings=Meetings(**found, decided_us=kept.decided_us) if found else None,
        _memory=memory,
    )
    return state if words_of is None else state.like(words_of)


def _numbered(names: list[str]) -> dict[str, int]:
    return dict(zip(names, range(len(names)), strict=True))


def _new_tracks(n: int) -> NDArray[Any]:
    row = np.zeros(1, tables.TRACK)
    row["observed_us"] = row["quiet_until_us"] = row["asked_us"] = tables.NEVER
    for name in ("party", "category", "exemption", "episodes", "feed"):
        row[name] = tables.NONE
    places = ("lat_deg", "lon_deg", "free_south_deg", "free_north_deg", "free_west_deg", "free_east_deg")
    for name in (*places, "alt_m", "speed_mps", "course_deg", "accuracy_m", "east_mps", "north_mps"):
        row[name] = np.nan
    row["wide_south_deg"] = np.inf
    rows = np.empty(n, tables.TRACK)
    _bytes(rows)[:] = _bytes(row)
    return rows


def _bytes(rows: NDArray[Any]) -> NDArray[np.uint8]:
    """Return rows as rows of bytes, which are copied ten times as fast as field by field."""
    return rows.view(np.uint8).reshape(len(rows), rows.itemsize)


def _new_episodes(n: int, first: int, then: int) -> NDArray[Any]:
    """Return n free episodes numbered from `first`, each naming the next, the last naming `then`."""
    rows = np.zeros(n, tables.EPISODE)
    rows["next"] = np.arange(first + 1, first + n + 1)
    rows["next"][-1] = then
    return rows
