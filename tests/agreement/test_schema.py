"""The JSON Schema agrees with the reader: what one takes, the other takes."""

import json
from pathlib import Path

import jsonschema
import pytest

from tocsin.agreement.load import parse
from tocsin.agreement.schema import agreement_schema
from tocsin.agreement.source.document import compose
from tocsin.errors import AgreementErrors

ROOT = Path(__file__).parent.parent.parent
FILES = [*(ROOT / "tests" / "data" / "agreements").rglob("*.yaml"), *(ROOT / "examples").rglob("*.yaml")]
SCHEMA = agreement_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
HEAD = "format: tocsin-agreement/1\nid: a\n"


def test_schema_is_valid_and_is_json():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert {"Zone", "LadderLevel", "Notice", "blank"} <= set(SCHEMA["$defs"])


def test_every_agreement_here_is_valid():
    told = [p for p in FILES if p.read_text().lstrip("# \n").find("format: tocsin-agreement/1") >= 0]
    assert len(told) > 160
    for path in told:
        VALIDATOR.validate(compose(path.read_bytes(), file=path.name).root.plain())


@pytest.mark.parametrize(
    "text",
    [
        "zones: [{id: z, geometry: {circle: {centre: c, radius: 55000}}}]",
        "zones: [{id: z, geometry: {circle: {centre: c, radius_m: 55 km}}}]",
        "zones: [{id: z, domains: [see]}]",
        "zones: [{id: 9}]",
        "zones: [{name: without id}]",
        "effective: {from: '2031-05-01T00:00:00'}",
        "effective: {from: '2031-05-01'}",
        "armed: perhaps",
        "version: one",
        "ladder: [{level: 1, ack_within: 3}]",
        "ladder: [{level: 1, ack_within: P}]",
        "zones: [{id: z, windows: [{days: [someday], from: '06:00', to: '07:00'}]}]",
        "conduct: {prohibited: [{id: a, test: {event: loiter, speed_between_kn: [1, 2, 3]}}]}",
        "conduct: {prohibited: [{id: a, test: {zone: z}}]}",
        "time_budget: {outer_to_guard: 8}",
        "parties: [{id: p, consent: not_set_at_all}]",
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(text: str):
    with pytest.raises(AgreementErrors):
        parse(HEAD + text)
    assert not VALIDATOR.is_valid(compose((HEAD + text).encode(), file="a").root.plain())


@pytest.mark.parametrize(
    "text",
    [
        "zones: [{id: z, geometry: {circle: {centre: c, radius: about 55 km}}}]",
        "zones: not_set",
        "zones: [{id: z, altitude: {disputed: [{says: a, value: 1}, {says: b, value: 2}]}}]",
        "conduct: {self_defence: {not_applicable: true}}",
        "exit: {notice: }",
        "exit: {notise: P1D, note: unknown keys are kept}",
        "time_budget: {outer_to_guard_km: 8, level1_total: PT9M}",
        "texts: {T1: words, T2: {en: words, ar: not_set}}",
        "parties: [{id: p, consent: {state: signed, on: 2031-04-02}}]",
        "zones: [{id: z, windows: [always, {from: '2031-05-01T00:00:00Z'}]}]",
        "zones: [{id: z, windows: [{days: [sat], from: '06:00', to: '24:00'}]}]",
    ],
)
def test_what_the_reader_takes_the_schema_takes(text: str):
    parse(HEAD + text)
    VALIDATOR.validate(compose((HEAD + text).encode(), file="a").root.plain())
