"""Who gets in and what they see: keys, scopes, views, canaries, headers, limits (FAULTS 86 to 102)."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import stat
from pathlib import Path

import pytest
from tests.serve.api.stage import CANARY, CASE, EVENTS, NOW_US, TOKEN, Hall

from tocsin.errors import RefusedError, SettingError
from tocsin.serve.guesses import FREE_GUESSES
from tocsin.serve.keys import Keyring, Scope
from tocsin.serve.seen import CASE_EVENT_FIELDS, CASE_FIELDS, ECHELON_FIELDS, EVENT_FIELDS
from tocsin.serve.shield import SAFE_HEADERS, Limits

PATHS = [
    ("GET", "/v1/events"),
    ("GET", "/v1/cases"),
    ("GET", f"/v1/cases/{CASE.case_id}"),
    ("GET", "/counters"),
    ("GET", "/metrics"),
    ("POST", "/v1/reports"),
    ("POST", "/v1/osmand?id=1&lat=1&lon=1"),
    ("GET", "/v1/osmand?id=1&lat=1&lon=1"),
    ("POST", "/v1/answers"),
    ("POST", "/v1/agreement"),
    ("POST", f"/v1/cases/{CASE.case_id}/mutes"),
]


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path)


def ask(hall: Hall, who: str | None, method: str, path: str, **options: object):
    return asyncio.run(hall.ask(who, method, path, **options))


def is_problem(response, status: int) -> bool:
    body = response.json()
    return (
        response.status_code == status == body["status"]
        and response.headers["content-type"] == "application/problem+json"
        and {"type", "title", "detail"} <= body.keys()
    )


@pytest.mark.parametrize(("method", "path"), PATHS, ids=str)
def test_without_a_good_key_nothing_is_shown(hall: Hall, method: str, path: str) -> None:
    good = hall.texts["keeper"]
    revoked = hall.keys.create(Scope.KEEPER, now_us=NOW_US)
    expired = hall.keys.create(Scope.KEEPER, now_us=NOW_US - 2, expires_us=NOW_US - 1)
    assert hall.keys.revoke(revoked.split("_")[1], now_us=NOW_US)
    wrong = [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {good[:-1]}~"},
        {"Authorization": f"Bearer {good}x"},
        {"Authorization": f"Token {good}"},
        {"Authorization": f"Bearer {revoked}"},
        {"Authorization": f"Bearer {expired}"},
        {"Authorization": "Basic !!!"},
    ]
    for headers in wrong:
        response = ask(hall, None, method, path, headers=headers)
        assert is_problem(response, 401), (headers, response.text)
        assert response.headers["www-authenticate"].startswith("Bearer")
    in_address = ask(hall, None, method, path + "&?"["?" not in path] + f"key={good}")
    assert is_problem(in_address, 403 if (method, path) == PATHS[7] else 401)


@pytest.mark.parametrize("who", ["keeper", "authority", "trucks"])
def test_a_key_is_for_one_thing(hall: Hall, who: str) -> None:
    allowed = {
        "keeper": {*PATHS} - {("GET", "/v1/osmand?id=1&lat=1&lon=1")},
        "authority": {*PATHS[:4], ("POST", "/v1/answers"), PATHS[-1]},
        "trucks": {("POST", "/v1/reports"), ("POST", "/v1/osmand?id=1&lat=1&lon=1")},
    }[who]
    for method, path in PATHS:
        refused = ask(hall, who, method, path).status_code
        if (method, path) == ("GET", "/v1/osmand?id=1&lat=1&lon=1") and who == "trucks":
            assert refused == 405  # the feed does not take it by GET
        else:
            assert (refused != 403) == ((method, path) in allowed), (method, path, refused)


def test_revocation_ends_a_key_with_the_next_request(hall: Hall) -> None:
    assert ask(hall, "authority", "GET", "/v1/events").status_code == 200
    assert hall.keys.revoke(hall.texts["authority"].split("_")[1], now_us=NOW_US)
    assert ask(hall, "authority", "GET", "/v1/events").status_code == 401


def test_keys_are_at_rest_as_hashes_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    text = Keyring(path).create(Scope.PARTY, "north", now_us=NOW_US)
    assert text.split("_", 2)[2] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keyring(path).check(text, now_us=NOW_US).party == "north"
    path.chmod(0o640)
    with pytest.raises(SettingError, match="0640"):
        Keyring(path)


def test_guesses_are_told_to_wait_and_the_right_key_is_not(hall: Hall) -> None:
    wrong = {"Authorization": "Bearer tocsin_00000000_x"}
    statuses = [ask(hall, None, "GET", "/v1/events", headers=wrong).status_code for _ in range(FREE_GUESSES + 3)]
    assert statuses == [401] * FREE_GUESSES + [429] * 3
    assert ask(hall, "authority", "GET", "/v1/events").status_code == 200
    hall.now_us += 60_000_000
    assert ask(hall, None, "GET", "/v1/events", headers=wrong).status_code == 401


def test_tokens_of_links_are_not_guessed_either(hall: Hall) -> None:
    statuses = [ask(hall, None, "GET", f"/answer/guess{n}").status_code for n in range(FREE_GUESSES + 1)]
    assert statuses == [404] * FREE_GUESSES + [429]


# What each sees


def tracks(hall: Hall, who: str) -> list[str]:
    return [e["kind"] for e in ask(hall, who, "GET", "/v1/events").json()["events"]]


def test_events_are_those_that_the_agreement_shows(hall: Hall) -> None:
    kinds = [str(e.kind) for e in EVENTS]
    assert tracks(hall, "keeper") == tracks(hall, "authority") == tracks(hall, "hazy") == kinds
    assert tracks(hall, "operator") == ["entry", "loiter", "entry"][::2]
    assert tracks(hall, "fishers") == ["entry", "exit"]
    assert tracks(hall, "stranger") == []


def test_canary_reaches_nobody_who_may_not_see_it(hall: Hall) -> None:
    for row in hall.stage.kept.values():
        row["track"] = row["mutes"] = row["steps"][0]["reason"] = CANARY
    for who in ("fishers", "stranger", "operator"):
        for method, path in PATHS:
            response = ask(hall, who, method, path)
            told = who in ("fishers", "operator") and "/v1/cases" in path
            assert told or CANARY not in response.text + str(response.headers), (who, path)


def test_hidden_and_absent_are_alike(hall: Hall) -> None:
    hidden = ask(hall, "stranger", "GET", f"/v1/cases/{CASE.case_id}")
    absent = ask(hall, "stranger", "GET", f"/v1/cases/{'0' * 32}")
    assert is_problem(hidden, 404)
    assert (hidden.content, sorted(hidden.headers)) == (absent.content, sorted(absent.headers))
    said = {"who": "A", "what": "acknowledged"}
    answers = [
        ask(hall, "stranger", "POST", "/v1/answers", json={**said, "case": case}) for case in (CASE.case_id, "0" * 32)
    ]
    assert answers[0].status_code == 404
    assert answers[0].content == answers[1].content
    assert not hall.stage.answers


def test_cursor_tells_nothing_of_what_is_hidden_and_is_its_owners(hall: Hall) -> None:
    first = ask(hall, "fishers", "GET", "/v1/events", params={"limit": 1}).json()
    second = ask(hall, "fishers", "GET", "/v1/events", params={"limit": 1, "after": first["next"]}).json()
    assert [e["kind"] for e in first["events"] + second["events"]] == ["entry", "exit"]
    assert not re.search(r"\d{2,}$", first["next"])
    assert ask(hall, "authority", "GET", "/v1/events", params={"after": first["next"]}).status_code == 422
    everything, after = [], None
    for _ in range(20):
        page = ask(hall, "authority", "GET", "/v1/events", params={"limit": 2, **({"after": after} if after else {})})
        everything += page.json()["events"]
        after = page.json()["next"]
        if page.json()["is_end"]:
            break
    assert [e["event_id"] for e in everything] == [e.event_id for e in EVENTS]


def test_blurred_events_hold_nothing_exact(hall: Hall) -> None:
    shown = ask(hall, "hazy", "GET", "/v1/events").json()["events"]
    for event, view in zip(EVENTS, shown, strict=True):
        assert view["blur_m"] == 5_000
        assert view.keys() == {*EVENT_FIELDS, "blur_m"} - {"measured", "accuracy_m"}
        assert view["lat_deg"] != event.lat_deg
        assert event.before is None or view["before"]["lat_deg"] != event.before.lat_deg


def test_told_party_sees_what_it_was_told_and_no_more(hall: Hall) -> None:
    view = ask(hall, "operator", "GET", f"/v1/cases/{CASE.case_id}").json()
    assert {m["recipient"] for m in view["messages"]} == {"operator"}
    assert {a["message"] for a in view["attempts"]} <= {m["message_id"] for m in view["messages"]}
    assert {a["party"] for a in view["acknowledgements"]} <= {"operator"}
    assert "steps" not in view
    assert {e["kind"] for e in view["events"]} == {"entry"}
    whole = ask(hall, "authority", "GET", f"/v1/cases/{CASE.case_id}").json()
    assert whole == json.loads(CASE.as_line()) or whole.keys() <= json.loads(CASE.as_line()).keys()
    assert len(whole["messages"]) == len(CASE.messages)
    keepers = ask(hall, "keeper", "GET", f"/v1/cases/{CASE.case_id}").json()
    assert [a["answer_id"] for a in keepers["acknowledgements"]] == [a.answer_id for a in CASE.acknowledgements]


def test_answer_that_names_no_level_is_seen_by_whom_its_message_is(hall: Hall) -> None:
    for answer in hall.stage.kept[CASE.case_id]["acknowledgements"]:
        answer["level"] = None
    for who in ("keeper", "authority", "fishers"):
        seen = ask(hall, who, "GET", f"/v1/cases/{CASE.case_id}").json()["acknowledgements"]
        assert "fishers" in {a["party"] for a in seen}, who


def test_how_far_down_it_got_is_seen_with_the_case_and_by_nobody_else(hall: Hall) -> None:
    row = hall.stage.kept[CASE.case_id]
    for relayed in row["messages"]:
        relayed["relay_for"] = f"{CANARY}/{relayed['recipient']}"
    for rung in row["rungs"]:
        rung["standins"] = [[CANARY, "operator"]]
    for kept, short in zip(row["acknowledgements"], row["echelons"], strict=True):
        kept["to"] = short["to"] = f"{CANARY}/{kept['party']}"
    whole = ask(hall, "authority", "GET", f"/v1/cases/{CASE.case_id}").json()
    assert [e["party"] for e in whole["echelons"]] == ["fishers", "duty_officer"]
    for name in ("rungs", "messages", "acknowledgements", "echelons"):
        assert whole[name] == row[name], name
    for who in ("operator", "fishers"):
        told = ask(hall, who, "GET", f"/v1/cases/{CASE.case_id}").json()
        assert {m["relay_for"] for m in told["messages"]} == {f"{CANARY}/{who}"}
        assert {e["to"] for e in told["echelons"]} == ({f"{CANARY}/{who}"} if who == "fishers" else set())
        assert "rungs" not in told
    assert CANARY not in ask(hall, "stranger", "GET", f"/v1/cases/{CASE.case_id}").text


def test_fields_that_are_shown_are_those_there_are() -> None:
    assert tuple(EVENTS[0].as_json()) == EVENT_FIELDS
    case = json.loads(CASE.as_line())
    assert {*CASE_FIELDS, "events", "messages", "attempts", "acknowledgements", "echelons"} == case.keys()
    assert {*ECHELON_FIELDS} == case["echelons"][0].keys()
    assert {*CASE_EVENT_FIELDS} == case["events"][0].keys()


# Headers and limits


def test_every_answer_carries_the_safe_headers(hall: Hall) -> None:
    for who, method, path in [
        (None, "GET", "/v1/events"),
        ("keeper", "GET", "/v1/events"),
        ("keeper", "GET", "/nowhere"),
        ("keeper", "PUT", "/v1/events"),
        (None, "GET", f"/answer/{TOKEN}"),
        (None, "GET", "/healthz"),
        (None, "GET", "/openapi.json"),
        ("keeper", "POST", "/v1/answers"),
    ]:
        response = ask(hall, who, method, path)
        for name, value in SAFE_HEADERS.items():
            assert response.headers[name] == value, (path, name)
        assert "unsafe" not in response.headers["content-security-policy"]
        assert "server" not in response.headers
        assert "set-cookie" not in response.headers
    assert (
        "access-control-allow-origin"
        not in ask(hall, "keeper", "GET", "/v1/events", headers={"Origin": "https://elsewhere.example"}).headers
    )


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Content-Encoding": "gzip"}, b"x", 415),
        ({"Content-Length": "99999999"}, b"", 413),
        ({}, b"x" * 70_000, 413),
        ({"Content-Length": "1", "Transfer-Encoding": "chunked"}, b"x", 400),
    ],
)
def test_bodies_are_bounded(hall: Hall, headers: dict, content: bytes, status: int) -> None:
    assert is_problem(ask(hall, "keeper", "POST", "/v1/answers", headers=headers, content=content), status)


def test_body_that_does_not_end_and_body_that_does_not_come(tmp_path: Path) -> None:
    hall = Hall(tmp_path, limits=Limits(body_bytes=1_000, body_s=0.1))

    json_type = {"Content-Type": "application/json"}

    async def endless():
        while True:
            yield b"x" * 100

    async def never():
        yield b"{"
        await asyncio.sleep(60)

    assert is_problem(ask(hall, "keeper", "POST", "/v1/answers", content=endless(), headers=json_type), 413)
    async_never = hall.ask(
        "keeper", "POST", "/v1/answers", content=never(), headers={"Content-Type": "application/json"}
    )
    assert is_problem(asyncio.run(async_never), 408)


def test_failure_within_says_nothing_of_the_inside(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    hall.stage.case = None  # type: ignore[assignment]
    with caplog.at_level(logging.ERROR):
        response = ask(hall, "keeper", "GET", f"/v1/cases/{CASE.case_id}")
    assert is_problem(response, 500)
    assert "NoneType" not in response.text
    assert "NoneType" in caplog.text


def test_refusals_are_logged_without_what_was_tried(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    guess = "tocsin_12345678_hunter2"
    with caplog.at_level(logging.WARNING, logger="tocsin"):
        ask(hall, None, "GET", "/v1/events", headers={"Authorization": f"Bearer {guess}"})
        ask(hall, "trucks", "GET", "/v1/events")
    records = [r for r in caplog.records if r.message == "access.refused"]
    assert [(r.what, r.route, bool(r.key_id)) for r in records] == [
        ("key", "/v1/events", False),
        ("scope", "/v1/events", True),
    ]
    assert "hunter2" not in str([r.__dict__ for r in records])
    assert hall.texts["trucks"] not in str([r.__dict__ for r in records])


@pytest.mark.parametrize(("is_full", "status"), [(True, 507), (False, 503)])
def test_refused_by_the_station_says_so_and_when_to_come_again(hall: Hall, is_full: bool, status: int) -> None:
    hall.stage.refuse = RefusedError("no space is left", is_full=is_full)
    response = ask(hall, "trucks", "POST", "/v1/osmand?id=1&lat=1&lon=1")
    assert is_problem(response, status)
    assert int(response.headers["retry-after"]) > 0
