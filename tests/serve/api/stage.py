"""A station that is none: what one would answer, kept in lists; and keys for everybody."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from msgspec.structs import replace
from tests.serve.story import walked
from tests.warn.stories import event

from tocsin.agreement.load import parse
from tocsin.agreement.model import Agreement
from tocsin.errors import AgreementError, LadderError, Place, RefusedError
from tocsin.serve.app import make_app
from tocsin.serve.keys import Keyring, Scope
from tocsin.station.api import Page
from tocsin.tracks.feeds.feed import Delivery, Feed, open_feed
from tocsin.warn.inputs import Answer, Muting
from tocsin.watch.event import EventKind

CANARY = "mmsi:CANARY"
NOW_US = 1_900_040_000_000_000
CASE = walked().case
TOKEN = "token-of-fishers"

AGREEMENT = parse(
    json.dumps(
        {
            "format": "tocsin-agreement/1",
            "id": "a",
            "effective": {"from": "2030-01-01T00:00:00Z"},
            "parties": [{"id": p} for p in ("authority", "operator", "fishers", "hazy", "stranger")],
            "routing": {
                "authority": "all",
                "operator": {"sees": ["entry", "counts"]},
                "fishers": "own",
                "hazy": {"sees": ["events"], "blur": "5 km"},
            },
        }
    )
)

EVENTS = [
    replace(event(EventKind.ENTRY, 10), party="fishers"),
    replace(event(EventKind.LOITER, 20), party="operator", track_id=CANARY),
    replace(event(EventKind.ENTRY, 30), party=None),
    replace(event(EventKind.EXIT, 40), party="fishers", other_track=CANARY),
    replace(event(EventKind.GAP, 50), party=None, track_id=CANARY),
]


class Stage:
    """Implements `station.api.StationApi` without a station."""

    def __init__(self) -> None:
        self.rows = [e.as_json() for e in EVENTS]
        self.kept = {CASE.case_id: json.loads(CASE.as_line())}
        self.deliveries: list[Delivery] = []
        self.answers: list[Answer] = []
        self.mutes: list[Muting] = []
        self.reloads: list[bytes] = []
        self.refuse: RefusedError | None = None
        self.is_ok = True
        self._feeds = {
            feed.name: feed
            for feed in map(open_feed, ("push:trucks?party=fishers", "push:phones?osmand=get&speed=mps"))
        }

    @property
    def agreement(self) -> Agreement:
        return AGREEMENT

    @property
    def feeds(self) -> Mapping[str, Feed]:
        return self._feeds

    async def deliver(self, delivery: Delivery) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.deliveries.append(delivery)

    async def answer(self, answer: Answer) -> dict[str, Any]:
        if self.refuse is not None:
            raise self.refuse
        self.answers.append(answer)
        return {"party": answer.party, "what": str(answer.kind), "disposition": "counted"}

    async def mute(self, muting: Muting) -> dict[str, Any]:
        if self.refuse is not None:
            raise self.refuse
        if self.kept[muting.case_id]["closed"] is not None:
            raise LadderError("closed does not take muted")
        self.mutes.append(muting)
        return {"case": muting.case_id, "reason": str(muting.reason)}

    async def reload(self, text: bytes) -> dict[str, Any]:
        if b"earlier" in text:
            raise RefusedError("version 1 is not later than version 2")
        if b"broken" in text:
            raise AgreementError("'broken'", expected="an agreement", place=Place("a.yaml", 1))
        self.reloads.append(text)
        return {"id": "a", "version": 3, "sha256": "00"}

    def events(self, *, after: int = 0, limit: int = 1_000) -> Page:
        rows = tuple(self.rows[after : after + limit])
        return Page(rows=rows, after=after + len(rows))

    def facts(self, *, after: int = 0, limit: int = 1_000, case_id: str | None = None) -> Page:
        return Page(rows=(), after=after)

    def cases(self, *, is_open: bool | None = None, limit: int = 1_000) -> Sequence[dict[str, Any]]:
        return [c for c in self.kept.values() if is_open in (None, c["closed"] is None)][:limit]

    def case(self, case_id: str) -> dict[str, Any] | None:
        return self.kept.get(case_id)

    def counters(self) -> dict[str, Any]:
        counts = {
            "received": 7, "accepted": 5, "rejected": {"bad_checksum": 1}, "shed": 0, "duplicate": 1, "applied": 3,
            "late": 1, "pending": 1, "flagged": {"arrival_time": 2},
        }  # fmt: skip
        return {"feeds": {"trucks": counts}, "total": counts}

    def health(self) -> dict[str, Any]:
        return {
            "ok": self.is_ok, "wrong": [] if self.is_ok else ["the disk is full"], "takes_reports": self.is_ok,
            "tick": 12, "silent_feeds": ["harbour"], "record": {"entries": 40},
        }  # fmt: skip


@dataclass(frozen=True)
class BoundTo:
    case_id: str
    message_id: str
    party: str
    channel: str


def check_token(token: str, now_us: int) -> BoundTo | None:
    if token != TOKEN or now_us > NOW_US + 3_600_000_000:
        return None
    (message,) = [m for m in CASE.messages if m.recipient == "fishers"][:1]
    return BoundTo(CASE.case_id, message.message_id, "fishers", message.channel)


class Hall:
    """An app on a stage, and a client for each key."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.stage = Stage()
        self.keys = Keyring(folder / "keys.json")
        self.now_us = NOW_US
        self.app = make_app(
            self.stage, keys=self.keys, check_token=check_token, clock=lambda: self.now_us, **options
        )  # fmt: skip
        self.texts = {"keeper": self.keys.create(Scope.KEEPER, now_us=NOW_US)}
        for party in ("authority", "operator", "fishers", "hazy", "stranger"):
            self.texts[party] = self.keys.create(Scope.PARTY, party, now_us=NOW_US)
        for feed in ("trucks", "phones"):
            self.texts[feed] = self.keys.create(Scope.FEED, feed, now_us=NOW_US)

    def client(self, who: str | None, **headers: str) -> httpx2.AsyncClient:
        if who is not None:
            headers["Authorization"] = f"Bearer {self.texts[who]}"
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app, raise_app_exceptions=False),
            base_url="http://station",
            headers=headers,
        )

    async def ask(self, who: str | None, method: str, path: str, **options: Any) -> httpx2.Response:
        async with self.running(), self.client(who) as client:
            return await client.request(method, path, **options)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the feeds, as a station does."""
        tasks = [asyncio.create_task(f.run(self.stage.deliver, resume=None)) for f in self.stage.feeds.values()]
        await asyncio.sleep(0)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
