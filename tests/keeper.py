"""The record's keeper: asks a station for new keys and disclosures, and sees what came of each.

What must hold at every moment: a request is still in its folder, or has its end; a key is handed over from once; a pack
that was promised is there, verifies for somebody who knows only the first key, and its handing over is an entry.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tocsin.record.c2sp.note import parse_vkey
from tocsin.record.keyfiles import overlapping
from tocsin.record.rotation import RotationReason
from tocsin.record.verifier.entitled import disclosure_payloads, entries_in
from tocsin.record.verifier.pack import verify_pack
from tocsin.record.verifier.source import FolderSource
from tocsin.record.verifier.verify import CHECKPOINT, verify, verify_folder
from tocsin.station.publish import requests

ASKED_OF = ("watch", "authority", "traffic")

ALLOWED = ("overlap is not over", "no old key", "are not for", "expected entries of a log")
"""What a refusal may say."""


@dataclass(slots=True)
class Asked:
    """One request, and what is known of it."""

    path: Path
    request: requests.Request
    came: dict[str, Any] | None = None


class Keeper:
    """Whoever may write into the station's folder.

    Parameters
    ----------
    folder : Path
        The station's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.first_key = ""
        self.asked: list[Asked] = []
        self.counts: Counter[str] = Counter()

    def begin(self, log_key: str) -> None:
        """Remember the key that the record began with."""
        self.first_key = self.first_key or log_key

    def ask(self, rng: random.Random, *, vkey: str, size: int) -> None:
        """Ask for something.

        Parameters
        ----------
        rng : random.Random
        vkey : str
            The record's key, as the command line reads it.
        size : int
            Entries of the record; sometimes more are asked for.
        """
        number, old = len(self.asked), vkey
        made: requests.Request = rng.choice(
            [
                requests.Rotate(old=old, reason=rng.choice(list(RotationReason))),
                requests.EndOverlap(old=str(overlapping(self.folder) or "")),
                *[
                    requests.Disclose(
                        to=rng.choice(ASKED_OF),
                        entries=tuple(sorted({rng.randrange(size + 2) for _ in range(3)})),
                        keeper="authority",
                        reason=f"request {number}",
                        out=str(self.folder.parent / f"pack-{number}"),
                        grant=rng.choice([None, "decision 7", "decision 8"]),
                    )
                ]
                * 2,
            ]
        )
        self.asked.append(Asked(requests.ask(self.folder, made), made))
        if rng.random() < 0.1:
            self.asked.append(Asked(requests.ask(self.folder, made), made))

    def collect(self, rng: random.Random) -> None:
        """See what came of requests, as the command line does."""
        if rng.random() < 0.05:
            self.check()
        for one in self.asked:
            ended = one.path.with_suffix(requests.ENDED)
            if one.came is None and ended.exists() and not one.path.exists() and rng.random() < 0.7:
                one.came = json.loads(ended.read_bytes())
                ended.unlink()
                self._ended(one)

    def check(self) -> None:
        """Check what must hold at any time, after a crash too."""
        for one in self.asked:
            is_known = one.came is not None or one.path.exists() or one.path.with_suffix(requests.ENDED).exists()
            assert is_known, f"{one.request} is neither asked any more nor ended"
        if (self.folder / "record" / CHECKPOINT).exists():
            verify(FolderSource(self.folder / "record"), vkey=parse_vkey(self.first_key) if self.first_key else None)

    def at_the_end(self, *, entry_count: int) -> None:
        """Check that everything asked has its end, and that the record tells of each once."""
        rng = random.Random(0)
        while any(one.came is None for one in self.asked):
            before = sum(one.came is None for one in self.asked)
            self.collect(rng)
            left = [one for one in self.asked if one.came is None]
            if len(left) == before and not any(one.path.with_suffix(requests.ENDED).exists() for one in left):
                raise AssertionError(f"{left[0].request} never came to an end")
        verified = verify_folder(self.folder, vkey=parse_vkey(self.first_key))
        assert verified.checkpoint.size == entry_count, "the record has every entry, once"
        keys = [str(key) for key in verified.keys]
        assert len(set(keys)) == len(keys), "no key is handed over to twice"
        rotated = {one.request.old for one in self.asked if isinstance(one.request, requests.Rotate) and _is_done(one)}
        assert rotated == set(keys[:-1]), "a key is handed over from because it was asked, and once"
        told = Counter(_reasons(self.folder, verified.checkpoint.size))
        for one in self.asked:
            if isinstance(one.request, requests.Disclose) and _is_done(one):
                assert told[one.request.reason] >= 1, "a handing over is an entry"
        self.counts.update(type(one.request).__name__ for one in self.asked if _is_done(one))

    def _ended(self, one: Asked) -> None:
        """Check the end of one request."""
        assert one.came is not None
        if "error" in one.came:
            assert any(reason in one.came["error"] for reason in ALLOWED), one.came
            return
        match one.request:
            case requests.Rotate():
                assert one.came["vkey"] != one.request.old
            case requests.EndOverlap():
                assert Path(one.came["retired"]).exists()
            case requests.Disclose():
                pack = verify_pack(Path(one.request.out), vkey=parse_vkey(self.first_key))
                assert pack.disclosure["reason"] == one.request.reason
                assert tuple(entries_in(pack.disclosure)) == one.request.entries
                assert one.came["recorded_as"] in pack.contents


def _is_done(one: Asked) -> bool:
    return one.came is not None and "error" not in one.came


def _reasons(folder: Path, size: int) -> list[str]:
    told = disclosure_payloads(FolderSource(folder / "record").read, size, folder / "payload")
    return [json.loads(payload)["reason"] for payload in told.values()]
