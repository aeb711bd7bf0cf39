"""Notices over HTTP: by form, JSON, CSV and GeoJSON; whose they are comes from the key; hidden and absent are alike."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest
from fastapi import FastAPI
from tests.agreement.notices.given import CABLE, form

from tocsin.agreement.load import load
from tocsin.serve.auth import Doorkeeper
from tocsin.serve.desk import Desk
from tocsin.serve.guesses import Guesses
from tocsin.serve.keys import Keyring, Scope
from tocsin.serve.problem import add_handlers
from tocsin.serve.routes.notices import FORM_PATH, NOTICES_PATH, make_router
from tocsin.station.core.inputs import Inputs
from tocsin.station.core.state import begin
from tocsin.station.core.step import tick
from tocsin.station.core.terms import AgreementText, Terms, compile_terms, read_text
from tocsin.station.durable.snapshot import dump_state, load_state
from tocsin.station.noticebook import NoticeBook
from tocsin.units import parse_instant_us

NOW_US = parse_instant_us("2031-06-01T08:05:00Z")
WRITTEN = read_text(CABLE)
TERMS = compile_terms(WRITTEN)
FIELDS = {
    "given_by": "duty desk",
    "reference": "F-9",
    "track": "mmsi:257000001",
    "route": "57.20 5.40\r\n57.00 5.44",
    "half_width": "500 m",
    "from": "2031-06-02T10:00:00Z",
    "to": "2031-06-02T16:00:00Z",
    "content.gear": "<b>pots",
}


class Core:
    """A ticker without a store or a thread: what is said is decided at once, and durable in memory."""

    def __init__(self, terms: Terms) -> None:
        self.on_commit = []
        self.state = None
        self.terms = terms

    def tick(self, inputs: Inputs, terms: Terms | None = None, *, now_us: int = NOW_US):
        self.state, commit = tick(self.state or begin(self.terms), inputs, now_us, terms=terms)
        for listener in self.on_commit:
            listener(commit)
        return commit

    def put_in_force(self, text: str) -> None:
        terms = compile_terms(AgreementText(file="a.yaml", text=text.encode(), beside=WRITTEN.beside))
        self.tick(Inputs(agreement=terms.written), terms)

    def say(self, sayings) -> Future:
        future: Future = Future()
        future.set_result(self.tick(Inputs(sayings=tuple(sayings))).noticed)
        return future


class Room:
    """The routes alone, with a key for each party."""

    class station:
        agreement = load(CABLE)

    def __init__(self, folder: Path) -> None:
        keys = Keyring(folder / "keys.json")
        door = Doorkeeper(keys=keys, now_us=lambda: NOW_US, proxy=None, guesses=Guesses())
        self.core = Core(TERMS)
        self.book = NoticeBook(self.core, TERMS)
        self.core.tick(Inputs(agreement=WRITTEN), TERMS)
        self.app = FastAPI()
        add_handlers(self.app)
        desk = Desk(station=self.station(), door=door, now_us=lambda: NOW_US)
        self.app.include_router(make_router(desk, self.book))
        self.keys = {"keeper": keys.create(Scope.KEEPER, now_us=NOW_US), None: ""}
        for party in ("authority", "operator", "fishers", "watch", "traffic"):
            self.keys[party] = keys.create(Scope.PARTY, party, now_us=NOW_US)

    def ask(self, who, method, path=NOTICES_PATH, *, media="application/json", body=None, **headers):
        async def asked():
            sent = {"Authorization": f"Bearer {self.keys[who]}", "Content-Type": media, **headers}
            transport = httpx2.ASGITransport(app=self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://station") as client:
                content = json.dumps(body) if isinstance(body, dict) else body
                return await client.request(method, path, content=content, headers=sent)

        return asyncio.run(asked())

    def give(self, who="fishers", **changed):
        return self.ask(who, "POST", body={"notice": form(**changed)})


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_a_notice_is_taken_with_its_three_receipts_and_is_no_leave(room):
    answer = room.give().json()
    (one,) = answer["accepted"]
    assert one["notice"]["notice"] == "fishers/F-1" and answer["refused"] == []
    assert [(r["receipt"], r["unit"]) for r in one["notice"]["receipts"]] == [
        ("received", None), ("passed_on", "watch"), ("read", "watch"),
    ]  # fmt: skip
    assert one["notice"]["entered_at"].startswith("2031-06-01T08:05")
    assert "permi" not in json.dumps(answer) and "approv" not in json.dumps(answer)


def test_whose_it_is_comes_from_the_key_and_never_from_the_body(room):
    refused = room.give("operator")
    assert refused.status_code == 422 and "'operator'" in refused.json()["detail"]
    assert room.give("operator", party=None).json()["accepted"][0]["notice"]["party"] == "operator"
    assert room.give(None).status_code == 401 and room.give("keeper").status_code == 403


def test_a_receipt_has_the_time_of_its_arrival_and_the_party_of_its_key(room):
    room.give()
    said = {"notice": "F-1", "party": "fishers", "receipt": "received", "by": "desk", "at": "2031-06-01T08:00:01Z"}
    assert room.ask("authority", "POST", body={"receipt": {**said, "of": "operator"}}).status_code == 422
    told = room.ask("watch", "POST", body={"receipt": said})
    assert told.status_code == 200, told.text
    (line, *_) = room.ask("fishers", "GET").json()["notices"][0]["receipts"]
    assert line["at"] == "2031-06-01T08:05:00.000000Z" and line["state"] == "in_time"


def test_hidden_and_absent_answer_alike(room):
    room.give()
    hidden = room.ask("traffic", "GET", f"{NOTICES_PATH}/fishers/F-1")
    absent = room.ask("traffic", "GET", f"{NOTICES_PATH}/fishers/F-7")
    assert (hidden.status_code, hidden.content) == (404, absent.content)
    said = {"party": "fishers", "receipt": "received", "by": "somebody"}
    told = [room.ask("traffic", "POST", body={"receipt": said | {"notice": name}}) for name in ("F-1", "F-7")]
    assert told[0].content == told[1].content and told[0].status_code == 422
    assert room.ask("traffic", "GET").json() == {"notices": []}
    assert room.ask("fishers", "GET", f"{NOTICES_PATH}/fishers/F-1").status_code == 200
    assert len(room.ask("keeper", "GET").json()["notices"]) == 1


def test_a_table_and_a_drawing_are_taken_row_by_row(room):
    head = "party,given_by,given_at,reference,track,route,half_width,from,to,content.gear\n"
    times = "2031-06-02T10:00:00Z,2031-06-02T16:00:00Z"
    row = "{},desk,2031-06-01T08:00:00Z,{},mmsi:257000001,57.2 5.4;57.0 5.4,{}," + times + ",x\n"
    table = head + row.format("fishers", "T-1", "500 m") + row.format("authority", "T-2", "500 m")
    answer = room.ask("fishers", "POST", media="text/csv", body=table + row.format("fishers", "T-3", "500")).json()
    assert [a["notice"]["notice"] for a in answer["accepted"]] == ["fishers/T-1"]
    assert [r["where"] for r in answer["refused"]] == ["body.csv:3", "body.csv:4"]
    drawn = {
        "type": "Feature",
        "properties": {
            "party": "fishers",
            "given_by": "desk",
            "given_at": "2031-06-01T08:00:00Z",
            "half_width": "1 km",
        },
        "geometry": {"type": "LineString", "coordinates": [[5.4, 57.2], [5.4, 57.0]]},
    }
    collection = {"type": "FeatureCollection", "features": [drawn]}
    (one,) = room.ask("fishers", "POST", media="application/geo+json", body=collection).json()["accepted"]
    assert one["notice"]["flags"]  # incomplete, and taken
    assert room.ask("fishers", "POST", media="text/plain", body="x").status_code == 415
    assert room.ask("fishers", "POST", body="{").status_code == 400


def test_the_form_is_shown_read_and_answered_as_a_page(room):
    shown = room.ask("fishers", "GET", FORM_PATH)
    assert shown.status_code == 200 and 'name="content.gear"' in shown.text and "fishers" in shown.text
    media = "application/x-www-form-urlencoded"
    wrong = room.ask("fishers", "POST", FORM_PATH, media=media, body=urlencode(FIELDS | {"from": "tomorrow"}))
    assert wrong.status_code == 422 and "&lt;b&gt;pots" in wrong.text and "offset" in wrong.text
    assert room.ask("fishers", "GET").json() == {"notices": []}
    done = room.ask("fishers", "POST", FORM_PATH, media=media, body=urlencode(FIELDS))
    assert done.status_code == 200 and "fishers/F-9" in done.text and "permits nothing" in done.text
    (held,) = room.ask("fishers", "GET").json()["notices"]
    assert held["content"] == {"gear": "<b>pots"} and len(held["place"]) > 0


def test_a_browser_is_asked_for_its_key_and_a_foreign_form_is_refused(room):
    assert room.ask(None, "GET", FORM_PATH).headers["www-authenticate"].startswith("Basic ")
    sent = {"media": "application/x-www-form-urlencoded", "body": urlencode(FIELDS)}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        assert room.ask("fishers", "POST", FORM_PATH, **sent, **headers).status_code == 403
    assert room.ask("fishers", "POST", FORM_PATH, **sent, Origin="http://station").status_code == 200


def test_what_was_taken_is_there_after_a_restart(room):
    room.give()
    state = load_state(dump_state(room.core.state))
    room.core.state = state
    again = NoticeBook(room.core, TERMS)
    assert [h.as_json() for h in again.register(NOW_US).held.values()] == [
        h.as_json() for h in room.book.register(NOW_US).held.values()
    ]


def test_another_version_is_followed_and_what_came_before_it_stays_as_it_was_judged(room):
    room.give()
    text = CABLE.read_text().replace("version: 4", "version: 5").replace("lead: PT24H", "lead: P30D")
    room.core.put_in_force(text)
    room.give(reference="F-2", **{"from": "2031-06-05T10:00:00Z", "to": "2031-06-05T16:00:00Z"})
    register = room.book.register(NOW_US)
    flags = {name: {f.flag for f in held.flags} for name, held in register.held.items()}
    assert not flags["fishers/F-1"] and "short_notice" in flags["fishers/F-2"], flags
    assert register.rules.version == 5


def test_an_agreement_that_asks_for_no_notices_has_no_such_route_until_a_version_does(room):
    text = CABLE.read_text().replace("version: 4", "version: 5")
    start, end = text.index("notices:"), text.index("channels:")
    room.core.put_in_force(text[:start] + text[end:])
    assert room.give().status_code == 404 and room.ask("fishers", "GET", FORM_PATH).status_code == 404
    assert room.ask("fishers", "GET").json() == {"notices": []}
    room.core.put_in_force(CABLE.read_text().replace("version: 4", "version: 6"))
    assert room.give().status_code == 200


def test_deadlines_pass_with_the_station_s_ticks_and_not_with_who_looks(room):
    room.give()
    room.book.register(NOW_US + 3_600_000_001)
    assert room.ask("fishers", "GET").json()["notices"][0]["receipts"][0]["state"] == "awaited"
    commit = room.core.tick(Inputs(), now_us=NOW_US + 3_600_000_001)
    assert [f["told"]["fact"] for f in commit.facts] == ["overdue"] * 3 + ["message"] * 3
    assert room.ask("fishers", "GET").json()["notices"][0]["receipts"][0]["state"] == "overdue"
