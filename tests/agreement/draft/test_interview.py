"""Init: what is answered is written, what is not is declared not set, and the linter finds just that."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tocsin.agreement.draft.interview import Interview, interview
from tocsin.agreement.draft.questions import QUESTIONS
from tocsin.agreement.lint import lint
from tocsin.agreement.load import load, parse
from tocsin.agreement.rules import CHECKS
from tocsin.agreement.source.document import blank_state, compose
from tocsin.agreement.source.flow import flow
from tocsin.errors import AgreementError

ROOT = Path(__file__).parents[3]
TANF = ROOT / "examples" / "at-tanf" / "with-mechanisms.yaml"
CABLE = ROOT / "tests" / "data" / "agreements" / "northreach-cable.yaml"
DOCUMENTS = {path: compose(path.read_bytes(), file=str(path)) for path in (TANF, CABLE)}


def answer_from(path: Path, asked) -> str:
    """The answer that an agreement gives to a question."""
    node, at, whole = DOCUMENTS[path].find(asked.path)
    if not whole or blank_state(node) in ("silent", "not_set"):
        return ""
    told = node.plain()
    if asked.question.is_list and isinstance(told, list):
        told = [member.get("id", member.get("level")) for member in told]
    unit = re.search(r"_(m|kn)$", at)  # `uncertainty_m: 50` answers as `50 m`
    return f"{told} {unit[1]}" if unit else flow(told)


def fail(asked, error):
    raise AssertionError(f"{asked.path}: {error}")


def drafted(path: Path, left_open=lambda asked: False) -> Interview:
    name = load(path).id
    return interview(name, lambda asked: "" if left_open(asked) else answer_from(path, asked), refused=fail)


def test_every_check_but_those_that_only_measure_has_a_question():
    asked = {code for question in QUESTIONS for code in question.codes}
    measured = {"FMT-01", "PAR-04", "GEO-03", "GEO-07", "GEO-08", "TIM-04", "TIM-07", "WRN-08"}
    assert set(CHECKS) - asked <= measured
    assert asked <= set(CHECKS)


def test_an_answered_interview_is_the_agreement_without_errors():
    text = drafted(TANF).text()
    found = lint(parse(text, folder=TANF.parent))
    assert [f for f in found if f.severity == "E"] == []
    assert {(f.code, f.path) for f in found} == {(f.code, f.path) for f in lint(load(TANF))}


def test_nothing_answered_is_found_as_not_set_and_nothing_else():
    held = interview("blank", lambda asked: "", refused=fail)
    found = lint(parse(held.text()))
    assert {f.state for f in found} == {"not_set"}
    assert {f.code for f in found} == {code for asked in held.not_set for code in asked.question.codes}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("path", [TANF, CABLE], ids=lambda path: path.stem)
def test_findings_are_exactly_of_what_was_left_open(path, seed):
    chance = random.Random(seed)
    share = chance.choice([0.05, 0.3, 0.7])
    full = {(f.code, f.path) for f in lint(parse(drafted(path).text(), folder=path.parent))}
    held = drafted(path, left_open=lambda asked: chance.random() < share and asked.path != "geojson")
    agreement = parse(held.text(), folder=path.parent)
    found = [f for f in lint(agreement) if (f.code, f.path) not in full and f.code != "GEO-07"]
    open_codes = {code for asked in held.not_set for code in asked.question.codes}
    patterns = {re.sub(r"\[[^\]]*\]", "[]", asked.path) for asked in held.not_set}
    depends = {
        c for c in CHECKS if any(key.startswith(p) or p.startswith(key) for key in CHECKS[c].keys for p in patterns)
    }
    assert {f.code for f in found} <= open_codes | depends
    assert {(f.code, f.path, f.message) for f in found if f.state != "not_set"} == set()
    spoken = {f.code for f in lint(agreement)}
    armed = agreement.armed is not False
    for asked in held.not_set:
        if asked.question.path == "parties[].role":
            continue  # one party with such a role is enough
        assert set(asked.question.codes) <= spoken | {c for c in CHECKS if CHECKS[c].armed_only and not armed}, (
            asked.path
        )


def test_an_answer_that_the_format_refuses_is_asked_again():
    told = iter(["five days", "{state: signd}", "P5D"])
    refusals = []

    def ask(asked):
        return next(told) if asked.path == "exit.notice" else ""

    held = interview("x", ask, refused=lambda asked, error: refusals.append(error.expected))
    assert "P5D" in held.text() and "five days" not in held.text() and len(refusals) == 2
    assert all("duration" in expected for expected in refusals)


def test_a_misspelt_key_in_an_answer_is_refused():
    held = Interview("x")
    asked = next(a for a in held.questions() if a.path == "effective.renewal")
    with pytest.raises(AgreementError, match="at_least_befor"):
        held.answer(asked, "{by: consent, at_least_befor: P3D}")


@pytest.mark.parametrize("told", ["[a, a]", "[[a]]", "{a: b}", "5x y"])
def test_a_list_of_members_is_ids(told):
    held = Interview("x")
    asked = next(a for a in held.questions() if a.path == "parties")
    with pytest.raises(AgreementError):
        held.answer(asked, told)
    assert "parties" not in held.text()


def test_not_applicable_is_not_not_set():
    held = interview("x", lambda asked: "n/a" if asked.path == "exit.on_lapse" else "", refused=fail)
    assert "EXT-03" not in {f.code for f in lint(parse(held.text()))}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.path)
def test_every_example_is_an_answer(question):
    held = Interview("x")
    parents = {"parties": "[a]", "sites": "[a]", "zones": "[a, b]", "channels": "[a]", "ladder": "[1]"}
    parents |= {"conduct.prohibited": "[a]", "duties": "[a]"}
    parents["parties[a].kind"] = "non_party" if question.path.endswith("bound_by") else "state"
    parents["parties[a].consent"] = "{state: none}"
    parents |= {"parties[a].role": "guarantor", "sites[a].kind": "civilian", "zones[a].kind": "separation"}
    parents["zones[a].domains"] = "[seabed]" if "domains_out" in question.path else "[land, air, seabed]"
    parents["zones[a].geometry"] = "{circle: {centre: {lat_deg: 1, lon_deg: 2}, radius: 5 km}}"
    parents["channels[a].between"] = "" if question.path == "channels[].to" else "[a]"
    seen = False
    for asked in held.questions():
        mine = asked.question is question
        seen |= mine
        held.answer(asked, question.example if mine else parents.get(asked.path, ""))
    assert seen
    assert not any(asked.question is question for asked in held.not_set)
    parse(held.text())
