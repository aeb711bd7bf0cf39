"""A running station changes its record's key and hands over entries when its keeper asks, and the record verifies."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.station.walks import WRITTEN, walk

from tocsin.record.keyfiles import next_key
from tocsin.record.rotation import RotationReason, rotation_entry
from tocsin.record.verifier.verify import verify_folder
from tocsin.station.core.inputs import Kept
from tocsin.station.live import LiveStation, Settings
from tocsin.station.publish import requests
from tocsin.tracks.feeds.feed import Delivery, open_feed
from tocsin.warn.channels.config import Transports, default_transports
from tocsin.warn.channels.file import JsonLinesFile


def begun(folder: Path, transports: Transports | None = None) -> LiveStation:
    feeds = [open_feed("push:f")]
    transports = default_transports(folder) if transports is None else transports
    station = LiveStation(Settings(folder=folder, agreement=WRITTEN, feeds=feeds, transports=transports))
    station.start()
    return station


def deliver(station: LiveStation, first: int, last: int) -> None:
    batch = walk(np.random.default_rng(4), 400).take(slice(first, last))
    delivery = Delivery(feed="f", batch=batch, rejects=(), read=len(batch), position=None)
    station.ticker.deliver(delivery).result(timeout=60)


def vkey(folder: Path) -> str:
    return (folder / "record" / "log.vkey").read_text().strip()


def asked(folder: Path, request: requests.Request) -> dict:
    came = requests.end_of(requests.ask(folder, request), within_s=30)
    assert came is not None and not list((folder / "requests").iterdir())
    return came


class Slow(JsonLinesFile):
    """A file that takes its time."""

    timeout_s = 4.0


def test_a_channel_that_is_slower_than_the_ladder_waits_is_told_of_at_the_start(folder: Path) -> None:
    station = begun(folder, Transports({}, Slow(folder / "messages.jsonl")))
    told = [fact for fact in station.facts().rows if fact.get("what") == "slow"]
    station.stop()
    assert len(told) == 1 and "may take 4 s, level 1 waits 3 s" in told[0]["detail"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"


def test_a_running_station_hands_over_to_a_new_key_and_goes_on(folder: Path) -> None:
    station = begun(folder)
    old = vkey(folder)
    deliver(station, 0, 200)
    came = asked(folder, requests.Rotate(old=old, reason=RotationReason.PLANNED))
    assert came["vkey"] == vkey(folder) != old
    assert asked(folder, requests.Rotate(old=old, reason=RotationReason.PLANNED)) == came | {"size": came["size"]}
    again = asked(folder, requests.Rotate(old=came["vkey"], reason=RotationReason.PLANNED))
    assert "overlap is not over" in again["error"]
    deliver(station, 200, 300)
    overlap = requests.EndOverlap(old=old)
    assert "retired" in asked(folder, overlap) and asked(folder, overlap) == asked(folder, overlap)
    deliver(station, 300, 400)
    station.stop()
    verified = verify_folder(folder)
    assert verified.checkpoint.size == station.ticker.committed_entries
    station = begun(folder)
    assert station.publisher.log_key == came["vkey"] == station.ticker.state.log_key
    thief = asked(folder, requests.Rotate(old=came["vkey"], reason=RotationReason.STOLEN))
    station.stop()
    assert thief["vkey"] == vkey(folder) and not (folder / "keys" / "log.old.key").exists()
    verify_folder(folder)


def test_an_old_key_whose_end_the_disk_refused_signs_no_more_and_its_end_is_asked_for_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = begun(folder)
    old = vkey(folder)
    deliver(station, 0, 200)
    asked(folder, requests.Rotate(old=old, reason=RotationReason.PLANNED))
    synced: list[Path] = []

    def refuse(path: Path) -> None:
        synced.append(path)
        if len(synced) == 1:
            raise OSError(errno.EIO, "the disk refuses")

    monkeypatch.setattr("tocsin.record.keyfiles.sync_folder", refuse)
    assert "the disk refuses" in asked(folder, requests.EndOverlap(old=old))["error"]
    assert len(station.publisher._log._signers) == 1
    assert "retired" in asked(folder, requests.EndOverlap(old=old)) and synced == [folder / "keys"] * 2
    station.stop()
    verify_folder(folder)


def test_a_handover_that_a_crash_cut_off_is_finished_by_the_next_start(folder: Path) -> None:
    station = begun(folder)
    old = vkey(folder)
    station.publisher.stop()  # the record's thread is gone; what is committed waits in the store
    path = requests.ask(folder, requests.Rotate(old=old, reason=RotationReason.PLANNED))
    log = station.publisher._log
    new = next_key(folder, log.origin)
    entry = rotation_entry(old=log.vkey, new=new.vkey, reason=RotationReason.PLANNED, at_us=station.now_us())
    station.ticker.keep(Kept.of(entry))
    deliver(station, 0, 100)
    station.ticker.stop()
    station._close()
    station = begun(folder)
    came = requests.end_of(path, within_s=30)
    station.stop()
    assert came is not None and came["vkey"] == str(new.vkey) == vkey(folder)
    assert verify_folder(folder).checkpoint.size == station.ticker.committed_entries


def test_entries_are_handed_over_by_a_running_station(folder: Path) -> None:
    station = begun(folder)
    deliver(station, 0, 200)
    out = folder.parent / "pack"
    asks = {"entries": (0, 1), "keeper": "authority", "reason": "asked", "out": str(out)}
    refused = asked(folder, requests.Disclose(to="watch", **asks | {"entries": (10**6,)}))
    assert "expected entries of a log" in refused["error"] and not out.exists()
    came = asked(folder, requests.Disclose(to="watch", grant="by decision 7", **asks))
    assert (out / "proofs" / "0.tlog-proof").exists() and came["entries"] == 2
    station.stop()
    size = verify_folder(folder).checkpoint.size
    assert came["recorded_as"] < size == station.ticker.committed_entries
