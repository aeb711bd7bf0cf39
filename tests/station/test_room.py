"""The reserve on a disk that really fills: given up when there is no space, made anew only when there is enough."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tocsin.errors import StoreFullError
from tocsin.station.durable.room import FILE, Room
from tocsin.store.connect import sqlite_url
from tocsin.store.store import Store, Write

MIB = 2**20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root may make a small disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def fill(disk: Path) -> Path:
    """Leave nothing free, as another program would."""
    path = disk / "other"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(64 * 1024))
        except OSError:
            pass
    return path


def test_the_reserve_lets_a_store_go_on_when_the_disk_is_full(small_disk: Path) -> None:
    room = Room(small_disk)
    assert (small_disk / FILE).stat().st_blocks * 512 >= room.reserve_bytes, "its blocks are really there"
    store = Store(sqlite_url(small_disk / "a.db"))
    other = fill(small_disk)
    assert room.is_short() and not room.make()

    def write(number: int, size: int) -> None:
        rest = {"at_us": 0, "reports": None, "report_count": 0, "digest": b"d" * 32}
        store.write(Write(tick={"tick": number, "inputs": bytes(size), **rest}))

    with pytest.raises(StoreFullError):
        for number in range(1, 100):
            write(number, 100_000)
    last, _ = store.last_tick()
    room.release()
    write(last + 1, 1_000)
    assert store.last_tick() == (last + 1, 0), "it goes through out of the reserve"
    assert not room.make(), "no reports are taken while the disk is as full as this"
    other.unlink()
    assert shutil.disk_usage(small_disk).free > 2 * room.reserve_bytes
    assert room.make() and not room.is_short()
    store.close()
