"""Asked: requests of the record's keeper carried out by the thread that has the log, in step with the core.

A new key and a disclosure are entries; their place is the core's, so each request is first given to it, and finished
when the publisher comes to its entry. After a crash a request is looked at anew: a key that is the log's already was
handed over; a pack that is there whole was written; a disclosure whose pack is not is recorded and written again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tocsin.canon import canonical_bytes
from tocsin.errors import RecordError, TocsinError, VerificationError
from tocsin.record.c2sp.note import parse_vkey
from tocsin.record.disclose import Disclosure, own_pack, plan_disclosure, write_pack
from tocsin.record.keyfiles import end_overlap, hand_over, next_key, overlapping
from tocsin.record.leaf import EntryKind, Sealed
from tocsin.record.log import Log
from tocsin.record.rotation import rotation_entry
from tocsin.station.core.inputs import Kept
from tocsin.station.publish import requests

log = logging.getLogger(__name__)

KEY_MARK = f'"kind":"{EntryKind.KEY}"'.encode()
DISCLOSURE_MARK = f'"kind":"{EntryKind.DISCLOSURE}"'.encode()
"""What the envelope of such an entry holds."""


class Asked:
    """The requests of one station's record.

    Parameters
    ----------
    folder : Path
        The data folder.
    log : Log
    keep : callable
        Gives an entry to the core.
    now_us : callable
    """

    def __init__(self, folder: Path, log: Log, *, keep: Callable[[Kept], None], now_us: Callable[[], int]) -> None:
        self._folder = folder
        self._log = log
        self._keep = keep
        self._now_us = now_us
        self._given: dict[Path, tuple[requests.Request, Disclosure | None]] = {}
        self._placed: dict[bytes, list[int]] = {}

    def look(self) -> None:
        """Take up what is asked, and finish what can be; called when the log has every committed entry."""
        for path in requests.waiting(self._folder):
            if path.with_suffix(requests.ENDED).exists():  # a crash came between its end and forgetting it
                path.unlink()
                continue
            try:
                came = self._step(path, requests.read(path))
            except (TocsinError, OSError) as error:
                came = {"error": str(error)}
            if came is not None:
                log.info("record.asked", extra={"request": path.name, "refused": "error" in came})
                self._given.pop(path, None)
                requests.end(path, came)

    def append(self, sealed: Sealed) -> None:
        """Append an entry that a request led to: a handover by both keys, a disclosure to be remembered.

        Raises
        ------
        VerificationError
            If a handover was cut short: nothing may be signed until the log is opened again.
        """
        if KEY_MARK in sealed.envelope:
            try:
                hand_over(self._folder, self._log, sealed)
            except RecordError as error:
                raise VerificationError(f"a new key was not handed over to; the next start does it: {error}") from error
            return
        (index,) = self._log.append_sealed([sealed])
        self._placed.setdefault(sealed.payload, []).append(index)

    def _step(self, path: Path, request: requests.Request) -> dict[str, Any] | None:
        """Return what came of a request, or None while its entry is on its way."""
        match request:
            case requests.EndOverlap():
                try:
                    retired = end_overlap(self._folder, key=parse_vkey(request.old) if request.old else None)
                finally:  # its file may be aside although the disk refused to make that durable
                    if overlapping(self._folder) is None:
                        self._log.sign_alone()
                return {"retired": str(retired)}
            case requests.Rotate():
                return self._rotate(path, request)
            case requests.Disclose():
                return self._disclose(path, request)

    def _rotate(self, path: Path, request: requests.Rotate) -> dict[str, Any] | None:
        vkey = self._log.vkey
        if str(vkey) != request.old:
            return {"vkey": str(vkey), "size": self._log.published.size}
        if path not in self._given:
            new = next_key(self._folder, self._log.origin)
            old = parse_vkey(request.old)
            self._keep(Kept.of(rotation_entry(old=old, new=new.vkey, reason=request.reason, at_us=self._now_us())))
            self._given[path] = (request, None)
        return None

    def _disclose(self, path: Path, request: requests.Disclose) -> dict[str, Any] | None:
        out = Path(request.out)
        if path not in self._given:
            if out.exists():
                return self._written(request)
            if all(request != other for other, _ in self._given.values()):  # else its twin is on its way
                self._plan(path, request)
            return None
        _, planned = self._given[path]
        assert planned is not None
        payload = canonical_bytes(planned.entry.payload)
        if payload not in self._placed:
            return None
        index = self._placed[payload].pop(0)
        if not self._placed[payload]:
            del self._placed[payload]
        self._log.publish()
        write_pack(self._log, replace(planned, index=index), out)
        return {"pack": request.out, "entries": len(planned.indices), "recorded_as": index}

    def _plan(self, path: Path, request: requests.Disclose) -> None:
        planned = plan_disclosure(
            self._log,
            to=request.to,
            indices=request.entries,
            keeper=request.keeper,
            reason=request.reason,
            at_us=self._now_us(),
            grant=request.grant,
        )
        self._given[path] = (request, planned)
        self._keep(Kept.of(planned.entry))

    def _written(self, request: requests.Disclose) -> dict[str, Any]:
        """Return what came of a request whose pack is there; refuse it if something else is."""
        out = Path(request.out)
        index = own_pack(out, to=request.to, indices=request.entries, reason=request.reason, grant=request.grant)
        if index is None:
            raise RecordError(f"{out}: is there already; a pack is never mixed with something else")
        return {"pack": request.out, "entries": len(set(request.entries)), "recorded_as": index}
