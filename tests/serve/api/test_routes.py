"""What each route does: reports, answers, the answer page, counters, metrics, a new agreement."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from html import escape
from pathlib import Path

import pytest
from tests.serve.api.stage import CASE, NOW_US, TOKEN, Hall

from tocsin.units import format_instant
from tocsin.warn.states import AnswerKind

ROOT = Path(__file__).parents[3]
NDJSON = {"Content-Type": "application/x-ndjson"}
TRUCK = {"track_id": "dev:truck-7", "observed": format_instant(NOW_US), "lat_deg": 33.5, "lon_deg": 38.6}


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path)


def ask(hall: Hall, who: str | None, method: str, path: str, **options: object):
    return asyncio.run(hall.ask(who, method, path, **options))


def test_reports_are_answered_with_the_fate_of_every_line(hall: Hall) -> None:
    body = b"\n".join([json.dumps(TRUCK).encode(), b'{"lat_deg": NaN}', json.dumps(TRUCK | {"lat_deg": 99}).encode()])
    response = ask(hall, "trucks", "POST", "/v1/reports", content=body, headers=NDJSON)
    assert response.status_code == 200
    assert {k: v for k, v in response.json().items() if k != "rejects"} == {
        "feed": "trucks", "read": 3, "accepted": 1, "rejected": 2, "flagged": {},
    }  # fmt: skip
    assert [(r["line"], r["reason"]) for r in response.json()["rejects"]] == [(2, "unparsable"), (3, "bad_latitude")]
    (delivery,) = hall.stage.deliveries
    assert (delivery.feed, delivery.batch.parties, delivery.read) == ("trucks", ("fishers",), 3)
    assert delivery.batch.received_us.tolist() == [NOW_US]


def test_reports_are_not_answered_before_they_are_durable(hall: Hall) -> None:
    async def play() -> None:
        durable = asyncio.Event()

        async def deliver(_: object) -> None:
            await durable.wait()

        hall.stage.deliver = deliver  # type: ignore[method-assign]
        async with hall.running(), hall.client("trucks", **NDJSON) as client:
            asked = asyncio.create_task(client.post("/v1/reports", content=json.dumps(TRUCK)))
            await asyncio.sleep(0.2)
            assert not asked.done()
            durable.set()
            assert (await asked).status_code == 200

    asyncio.run(play())


@pytest.mark.parametrize(
    ("who", "path", "headers", "content", "status"),
    [
        ("trucks", "/v1/reports", NDJSON, b"", 400),
        ("trucks", "/v1/reports", NDJSON, b"\n\n", 400),
        ("trucks", "/v1/reports", NDJSON, b"{}", 422),
        ("trucks", "/v1/reports", {"Content-Type": "text/csv"}, b"a,b", 415),
        ("trucks", "/v1/reports", {"Content-Type": "application/json; charset=utf-16"}, b"{}", 415),
        ("trucks", "/v1/reports?feed=phones", NDJSON, b"{}", 403),
        ("keeper", "/v1/reports", NDJSON, b"{}", 404),
        ("keeper", "/v1/reports?feed=nothing", NDJSON, b"{}", 404),
        ("keeper", "/v1/reports?feed=trucks", NDJSON, json.dumps(TRUCK).encode(), 200),
    ],
)
def test_what_is_no_push_is_refused(
    hall: Hall, who: str, path: str, headers: dict, content: bytes, status: int
) -> None:
    response = ask(hall, who, "POST", path, headers=headers, content=content)
    assert response.status_code == status, response.text


def test_osmand_by_post_address_form_and_basic(hall: Hall) -> None:
    query = "id=7&lat=33.5&lon=38.6&speed=10&timestamp=1900000000"
    basic = base64.b64encode(f"phone:{hall.texts['phones']}".encode()).decode()
    responses = [
        ask(hall, "phones", "POST", f"/v1/osmand?{query}"),
        ask(hall, "phones", "POST", "/v1/osmand", content=query),
        ask(hall, None, "POST", f"/v1/osmand?{query}", headers={"Authorization": f"Basic {basic}"}),
        ask(hall, None, "GET", f"/v1/osmand?{query}&key={hall.texts['phones']}"),
    ]
    assert [r.status_code for r in responses] == [200] * 4
    assert [d.batch.speed_mps.tolist() for d in hall.stage.deliveries] == [[10.0]] * 4


def test_get_changes_nothing_where_the_feed_does_not_say_so(hall: Hall) -> None:
    query = "id=7&lat=33.5&lon=38.6"
    assert ask(hall, "trucks", "GET", f"/v1/osmand?{query}").status_code == 405
    assert not hall.stage.deliveries


def test_key_in_an_address_is_not_kept_with_a_refused_report(hall: Hall) -> None:
    ask(hall, None, "GET", f"/v1/osmand?id=7&lat=x&lon=38.6&key={hall.texts['phones']}")
    (reject,) = hall.stage.deliveries[0].rejects
    assert "tocsin_" not in reject.raw


def test_answers_are_in_the_name_of_the_keys_party(hall: Hall) -> None:
    said = {"case": CASE.case_id, "who": "C. Officer", "what": "acknowledged", "text": "On it."}
    assert ask(hall, "fishers", "POST", "/v1/answers", json=said).json()["disposition"] == "counted"
    assert ask(hall, "fishers", "POST", "/v1/answers", json={**said, "party": "operator"}).status_code == 403
    assert ask(hall, "keeper", "POST", "/v1/answers", json=said).status_code == 422
    assert ask(hall, "keeper", "POST", "/v1/answers", json={**said, "party": "mover"}).status_code == 200
    assert [(a.party, a.at_us, a.source.split(":")[0]) for a in hall.stage.answers] == [
        ("fishers", NOW_US, "api"),
        ("mover", NOW_US, "api"),
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"case": 1}', 422),
        (b'{"case": "' + b"0" * 32 + b'", "who": "A", "what": "permitted"}', 422),
        (b'{"case": "' + b"0" * 32 + b'", "who": "A", "what": "acknowledged", "level": NaN}', 400),
        (b'{"case": "' + b"0" * 32 + b'", "who": "A", "who": "B", "what": "acknowledged"}', 400),
        (b'{"case": "' + b"0" * 32 + b'", "who": "\\ud800", "what": "acknowledged"}', 400),
        (b'{"case": "' + b"0" * 32 + b'", "who": "A", "what": "acknowledged", "role": "keeper"}', 422),
        (b"[" * 60_000, 400),
        (b"\xff", 400),
        (b"1" * 5_000, 400),
    ],
)
def test_answers_are_strict_json(hall: Hall, body: bytes, status: int) -> None:
    response = ask(hall, "fishers", "POST", "/v1/answers", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert not hall.stage.answers


def test_answer_page_shows_by_get_and_answers_by_post_alone(hall: Hall) -> None:
    (message,) = [m for m in CASE.messages if m.recipient == "fishers"][:1]
    path = f"/answer/{TOKEN}"
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
        ask(hall, None, method, path)
    page = ask(hall, None, "GET", path)
    assert escape(message.subject) in page.text
    assert "<script" not in page.text
    assert not hall.stage.answers
    form = {"who": "B. <Skipper>", "text": ""}
    done = ask(hall, None, "POST", path, data=form)
    assert done.status_code == 200
    assert "B. &lt;Skipper&gt;" in done.text
    ask(hall, None, "POST", path, data={"who": "B. Skipper", "text": "We turn away."})
    assert [(a.kind, a.party, a.message_id, a.channel) for a in hall.stage.answers] == [
        (AnswerKind.ACKNOWLEDGED, "fishers", message.message_id, message.channel),
        (AnswerKind.ANSWERED, "fishers", message.message_id, message.channel),
    ]


def test_answer_page_logs_what_an_operator_heard_and_a_retry_keeps_its_name(hall: Hall) -> None:
    for what in ("failed", "failed", "passed_on"):
        done = ask(hall, None, "POST", f"/answer/{TOKEN}", data={"who": "Op", "text": "port control", "what": what})
        assert done.status_code == 200
        assert "was received" not in done.text
    assert [a.kind for a in hall.stage.answers] == [AnswerKind.FAILED, AnswerKind.FAILED, AnswerKind.PASSED_ON]
    first, again, other = (a.key for a in hall.stage.answers)
    assert first == again != other


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("/answer/forged", {"data": {"who": "A"}}, 404),
        (f"/answer/{TOKEN}", {"data": {"who": " "}}, 422),
        (f"/answer/{TOKEN}", {"data": {"who": "A" * 201}}, 422),
        (f"/answer/{TOKEN}", {"data": {"who": "A", "what": "permitted"}}, 422),
        (f"/answer/{TOKEN}", {"json": {"who": "A"}}, 415),
        (f"/answer/{TOKEN}", {"data": {"who": "A"}, "headers": {"Sec-Fetch-Site": "cross-site"}}, 403),
        (
            f"/answer/{TOKEN}",
            {"content": "who=A&who=B", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
            422,
        ),
    ],
)
def test_forms_that_are_no_answer(hall: Hall, path: str, options: dict, status: int) -> None:
    response = ask(hall, None, "POST", path, **options)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    options["headers"] = {**options.get("headers", {}), "Accept": "text/html"}
    page = ask(hall, None, "POST", path, **options)
    assert page.status_code == status
    assert "Nothing was recorded" in page.text
    assert not hall.stage.answers


def test_health_is_shown_to_all_and_its_reasons_to_the_keeper(hall: Hall) -> None:
    assert ask(hall, None, "GET", "/healthz").json() == {"ok": True}
    hall.stage.is_ok = False
    assert (r := ask(hall, None, "GET", "/healthz")).status_code == 503
    assert r.json() == {"ok": False}
    assert ask(hall, "keeper", "GET", "/healthz").json()["wrong"] == ["the disk is full"]
    assert ask(hall, "authority", "GET", "/healthz").status_code == 403


def test_counters_are_for_whom_the_agreement_grants_counts(hall: Hall) -> None:
    statuses = {who: ask(hall, who, "GET", "/counters").status_code for who in ("keeper", "operator", "fishers")}
    assert statuses == {"keeper": 200, "operator": 200, "fishers": 403}


def test_metrics_are_the_counters_and_the_dashboard_asks_for_nothing_else(hall: Hall) -> None:
    text = ask(hall, "keeper", "GET", "/metrics").text
    assert 'tocsin_reports_rejected_total{feed="trucks",reason="bad_checksum"} 1.0' in text
    assert 'tocsin_feed_silent{feed="harbour"} 1.0' in text
    dashboard = (ROOT / "docs" / "grafana.json").read_text()
    asked = set(re.findall(r"\btocsin_\w+", " ".join(re.findall(r'"expr": "([^"]*)"', dashboard))))
    assert asked
    assert asked <= set(re.findall(r"^(tocsin_\w+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("text", "media", "status"),
    [
        (b"later", "application/yaml", 200),
        (b"earlier", "application/yaml", 409),
        (b"broken", "application/yaml", 422),
        (b"later", "text/plain", 415),
    ],
)
def test_new_agreement_is_put_in_force_or_says_why_not(hall: Hall, text: bytes, media: str, status: int) -> None:
    response = ask(hall, "keeper", "POST", "/v1/agreement", content=text, headers={"Content-Type": media})
    assert response.status_code == status
    assert bool(hall.stage.reloads) == (status == 200)
