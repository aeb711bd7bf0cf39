"""What a simulated station must have kept and told, by a book that is kept beside it in the plainest way.

After every durable tick: an event is of the version that was in force when it happened; what a change of versions did
is told as the zone's doing; an hour that leaves the store reads back as what came in it. At the end: what is final is
what a replay of all reports tells, each version watched in its own time.
"""

from __future__ import annotations

from pathlib import Path

from tests.station.walks import FEEDS
from tests.warn.stories import S

from tocsin.agreement.terms.state import given
from tocsin.station.core.handover import engine_of
from tocsin.station.core.inputs import Inputs
from tocsin.station.core.state import Commit, State
from tocsin.station.core.terms import Terms, compile_terms
from tocsin.station.past.archive import Task
from tocsin.station.past.journal import FOLDER, HOUR_US, Ahead, reports_of
from tocsin.store import schema
from tocsin.store.store import Store
from tocsin.tracks.archive import read_tracks
from tocsin.tracks.batch import EMPTY, ReportBatch, concat
from tocsin.tracks.order import canonical, content_hash
from tocsin.watch.corrections import amendments
from tocsin.watch.event import Event, EventKind, Revision, Standing
from tocsin.watch.found import EventBatch
from tocsin.watch.state import WatchState
from tocsin.watch.versions import at_seams

AHEAD = Ahead(by_feed={name: policy.ahead_us for name, policy in FEEDS.items()}, other_us=0)
ZONES = frozenset({EventKind.ZONE_BEGAN, EventKind.ZONE_ENDED, EventKind.ZONE_CHANGED})
"""Kinds of what a zone did, and no track."""

SETTLE_US = 3 * HOUR_US
"""How long after an hour's beginning it must be in the archive, on a station that ticks."""


class Ledger:
    """The book.

    Parameters
    ----------
    folder : Path
        The station's.
    first : Terms
    """

    def __init__(self, folder: Path, first: Terms) -> None:
        self.folder = folder
        self.tick = 0
        self.versions: list[tuple[int, Terms]] = [(-(2**62), first)]
        self.reports: list[tuple[int, int, ReportBatch]] = []
        self.finals: dict[str, Event] = {}
        self.dropped_us = -(2**62)
        self.hours = self.archived = 0

    def after(self, commit: Commit, inputs: Inputs, task: Task, state: State, store: Store) -> None:
        """Take note of a durable tick, and check it."""
        self.tick = commit.tick
        if commit.version is not None and commit.tick > 1:
            self.versions.append((commit.at_us, compile_terms(commit.version)))
        self.reports.append((commit.tick, commit.at_us, AHEAD.watched(inputs.batch, commit.at_us)))
        for event in commit.events:
            self._event(event)
            if event.standing is Standing.FINAL:
                self.finals[event.event_id] = event
        if task.archived is not None:
            self._hour(task, store, state)
        if task.dropped_us is not None:
            self.dropped_us = max(self.dropped_us, task.dropped_us)

    def stands(self) -> list[Event]:
        """Return what is final, as it stands."""
        return [event for event in self.finals.values() if event.revision is not Revision.WITHDRAWN]

    def at_the_end(self, state: State, store: Store) -> None:
        """Check what has come of everything."""
        rows = store.rows(schema.archive)
        files = {f"{FOLDER}/{path.name}" for path in (self.folder / FOLDER).glob("*")}
        assert {row["file"] for row in rows} <= files, "an hour that the store names has its file"
        begun = {at_us - at_us % HOUR_US for _, at_us, _ in self.reports}
        due = {hour for hour in begun if hour + SETTLE_US < state.now_us and hour >= self.dropped_us}
        assert due <= {row["hour_us"] for row in rows}, "an hour that is over is in the archive"
        record = given(state.terms.agreement.record)
        if record is not None and (keep_for_s := given(record.keep_for_s)) is not None:
            oldest_us = state.now_us - round(keep_for_s * S) - SETTLE_US
            assert all(row["hour_us"] >= oldest_us for row in rows), "an hour is kept no longer than agreed"
        self._read_back(state, store)
        self._replayed(state)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _event(self, event: Event) -> None:
        """Check that an event is of the version in force, and that only a zone's own doing is told at a change."""
        bounds = [*(at_us for at_us, _ in self.versions), 2**62]
        places = [n for n, (_, terms) in enumerate(self.versions) if terms.version == event.agreement_version]
        assert places, "an event is of a version that was in force"
        from_us, until_us = bounds[places[0]], bounds[places[0] + 1]
        if event.kind in ZONES:
            assert event.at_us in (from_us, until_us), "a zone begins and ends with its version, and at no other time"
        else:
            assert from_us <= event.at_us <= until_us, "an event is of the version in force when it happened"
            assert event.at_us != from_us or event.kind is not EventKind.ENTRY, "nobody enters because a text changes"

    def _hour(self, task: Task, store: Store, state: State) -> None:
        """Check that an hour's file is what came in it."""
        assert task.archived is not None
        row = task.archived
        came = [batch for number, _, batch in self.reports if self.archived < number <= row["last_tick"]]
        self.archived = row["last_tick"]
        path = self.folder / row["file"]
        read = read_tracks([path]).reports if row["report_count"] else EMPTY
        assert row["report_count"] == sum(map(len, came)), "an hour's file has every report of it"
        assert {key[:2] for key in _keys(read)} == {key[:2] for key in _keys(concat(came))}
        self.hours += 1
        self._read_back(state, store)

    def _read_back(self, state: State, store: Store) -> None:
        """Check that the store and the files give back what came, but for hours that are not kept any longer."""
        back = reports_of(
            store, self.folder, tracks=None, from_us=0, before_us=2**62, last_tick=state.tick, ahead=AHEAD
        )
        whole = concat([batch for _, _, batch in self.reports])
        if self.dropped_us < 0:
            assert _keys(back) == _keys(whole), "what was archived reads back equal"
        kept = [batch for _, at_us, batch in self.reports if at_us - at_us % HOUR_US >= self.dropped_us]
        assert set(_keys(concat(kept))) <= set(_keys(back)) <= set(_keys(whole))

    def _replayed(self, state: State) -> None:
        whole = concat([batch for _, _, batch in self.reports])
        expected = replayed(self.versions, whole, watermark_us=state.live.order.watermark_us)
        assert amendments(self.stands(), expected) == [], "what is final is what all reports tell"


def replayed(versions: list[tuple[int, Terms]], reports: ReportBatch, *, watermark_us: int) -> list[Event]:
    """Return the final events of all reports, each version watched in its own time as `tocsin replay` does it.

    Parameters
    ----------
    versions : list of (int, Terms)
        Since when each is in force, in order; the first since ever.
    reports : ReportBatch
        In any order.
    watermark_us : int
    """
    whole = reports.take(reports.observed_us < watermark_us)
    whole = whole.take(canonical(whole).keep)
    bounds = [None, *(at_us for at_us, _ in versions[1:]), None]
    batches: list[EventBatch] = []
    for (_, terms), begin, end in zip(versions, bounds, bounds[1:], strict=False):
        engine = engine_of(terms, from_us=begin, until_us=end)
        watch, found = engine.step(WatchState(), whole)
        _, rest = engine.step(watch, EMPTY, watermark_us=watermark_us)
        batches.append(EventBatch.concat([found, rest]))
    return [event for batch in at_seams(batches) for event in batch]


def _keys(batch: ReportBatch) -> list[tuple[str, int, int]]:
    hashes = content_hash(batch).tolist() if len(batch) else []
    rows = zip(batch.track.tolist(), batch.observed_us.tolist(), hashes, strict=True)
    return sorted((batch.tracks[who], at_us, said) for who, at_us, said in rows)
