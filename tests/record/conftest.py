"""A small log to begin from: seven entries in two publications, with its payloads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tocsin.record.c2sp.cosign import Signer
from tocsin.record.c2sp.note import SignatureType
from tocsin.record.leaf import Entry, EntryKind
from tocsin.record.log import Log

AT_US = 1_495_094_400_000_000
ORIGIN = "log.example/tanf"
PARTIES = frozenset({"coalition", "syria"})


def make_signer(name: str = ORIGIN, kind: SignatureType = SignatureType.ED25519, number: int = 1) -> Signer:
    """Return a key that is the same at every run; never used outside tests."""
    return Signer(name=name, type=kind, seed=bytes([number]) * 32)


def make_entries(count: int, first: int = 0) -> list[Entry]:
    """Return events of a convoy, one a second."""
    return [
        Entry(
            kind=EntryKind.EVENT if i % 2 else EntryKind.MESSAGE,
            at_us=AT_US + i * 1_000_000,
            audience=PARTIES,
            payload={"kind": "entry", "zone": "tanf-55km", "lat_deg": 33.5 + i / 1000, "number": i},
        )
        for i in range(first, first + count)
    ]


def write_log(folder: Path, *sizes: int) -> Log:
    """Make a log that published at each of these sizes, and return it open."""
    log = Log.create(folder, key=make_signer())
    for size in sizes:
        log.append(make_entries(size - log.size, log.size))
        log.publish()
    return log


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave fsync out: what is asked of the disk and when is tested by standing in for it, not by waiting for it."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Return the folder of a closed log of seven entries, published at 3 and 7."""
    write_log(tmp_path / "kept", 3, 7).close()
    return tmp_path / "kept"
