"""Mutes over HTTP: who may, for how long, why, and what nobody may be told by being refused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import get_args

import pytest
from tests.serve.api.stage import CASE, NOW_US, Hall

from tocsin.cli.case import Reason as CliReason
from tocsin.errors import RefusedError
from tocsin.serve.routes.mutes import Reason
from tocsin.units import format_instant
from tocsin.warn.states import PERSONS_REASONS, MuteReason

HOUR_US = 3_600_000_000
PATH = f"/v1/cases/{CASE.case_id}/mutes"
ASKED = {"who": "C. Officer", "reason": "in_contact", "until": format_instant(NOW_US + HOUR_US)}


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    hall = Hall(tmp_path)
    hall.stage.kept[CASE.case_id].update(closed=None, party=None)
    return hall


def ask(hall: Hall, who: str, body: dict, path: str = PATH):
    response = asyncio.run(hall.ask(who, "POST", path, json=body))
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == response.status_code
    return response


def test_reasons_are_those_that_a_person_may_have() -> None:
    assert set(get_args(Reason)) == set(PERSONS_REASONS) == set(map(str, CliReason))


def test_mute_is_in_the_name_of_the_keys_party_and_ends_when_asked(hall: Hall) -> None:
    assert ask(hall, "authority", {**ASKED, "text": "speaking with them"}).status_code == 200
    assert ask(hall, "keeper", {**ASKED, "party": "operator", "until": None}).status_code == 200
    first, second = hall.stage.mutes
    assert (first.who, first.party, first.text) == ("C. Officer", "authority", "speaking with them")
    assert (first.case_id, first.at_us, first.until_us) == (CASE.case_id, NOW_US, NOW_US + HOUR_US)
    assert first.reason is MuteReason.IN_CONTACT
    assert (second.party, second.until_us) == ("operator", NOW_US), "null ends an earlier one"


@pytest.mark.parametrize(
    ("who", "changes", "status"),
    [
        ("keeper", {}, 422),
        ("authority", {"party": "operator"}, 403),
        ("authority", {"until": format_instant(NOW_US)}, 422),
        ("authority", {"until": format_instant(NOW_US + 24 * HOUR_US)}, 200),
        ("authority", {"until": format_instant(NOW_US + 24 * HOUR_US + 1)}, 422),
        ("authority", {"until": "2030-01-01T00:00:00"}, 422),
        ("authority", {"until": 5}, 422),
        ("authority", {"reason": "exemption"}, 422),
        ("authority", {"reason": "throttle"}, 422),
        ("authority", {"who": " "}, 422),
        ("authority", {"silence": True}, 422),
    ],
)
def test_what_is_no_mute_is_refused(hall: Hall, who: str, changes: dict, status: int) -> None:
    assert ask(hall, who, ASKED | changes).status_code == status
    assert len(hall.stage.mutes) == (status == 200)
    assert ask(hall, "authority", {k: v for k, v in ASKED.items() if k != "until"}).status_code == 422


def test_hidden_and_absent_cases_are_alike(hall: Hall) -> None:
    hidden = ask(hall, "stranger", ASKED)
    absent = ask(hall, "stranger", ASKED, f"/v1/cases/{'0' * 32}/mutes")
    assert hidden.status_code == 404
    assert (hidden.content, sorted(hidden.headers)) == (absent.content, sorted(absent.headers))


def test_a_party_mutes_no_case_of_its_own_movers_and_others_do(hall: Hall) -> None:
    hall.stage.kept[CASE.case_id]["party"] = "fishers"
    assert ask(hall, "fishers", ASKED).status_code == 403
    assert not hall.stage.mutes
    assert ask(hall, "operator", ASKED).status_code == 200, "it was told, and may have them on the radio"


def test_a_case_that_is_over_and_a_station_that_takes_nothing(hall: Hall) -> None:
    hall.stage.kept[CASE.case_id]["closed"] = ASKED["until"]
    assert ask(hall, "authority", ASKED).status_code == 409
    hall.stage.refuse = RefusedError("the station is stopping")
    refused = ask(hall, "authority", ASKED)
    assert refused.status_code == 503 and "retry-after" in refused.headers
