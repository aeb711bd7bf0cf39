"""Agreements side by side: a good pair has nothing between its files, a bad pair exactly what stands in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tocsin.agreement.load import load, parse
from tocsin.agreement.together import lint_together
from tocsin.cli import app
from tocsin.errors import AgreementError

DATA = Path(__file__).parent.parent / "data" / "agreements"


def circle(name: str, lat_deg: float, **more: Any) -> dict[str, Any]:
    centre = {"lat_deg": lat_deg, "lon_deg": 5.0}
    return {"id": name, "geometry": {"circle": {"centre": centre, "radius": "5 km"}}, "applies_to": "all", **more}


def told(name: str, **changed: Any) -> dict[str, Any]:
    parties = [{"id": "north", "name": "Northern Command"}, {"id": "south", "name": "Southern Command"}]
    line = {"id": f"line_{name}", "kind": "phone", "between": ["north", "south"]}
    base = {"format": "tocsin-agreement/1", "id": name, "parties": parties, "channels": [line]}
    return base | {"zones": [circle("ring", 57.0)], **changed}


def between(*documents: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = lint_together([parse(json.dumps(d), file=f"{d['id']}.yaml") for d in documents])
    assert found == lint_together([parse(json.dumps(d), file=f"{d['id']}.yaml") for d in reversed(documents)])
    return [(f.code, f.where.file, f.path) for f in found]


GOOD = told("b", zones=[circle("ring", 57.0, precedence=1)])
FIRST = told("a", zones=[circle("ring", 57.05, precedence=2)])


def test_good_pair_has_nothing_between_its_files():
    assert between(FIRST, GOOD) == []
    assert between(told("a"), told("b", zones=[circle("ring", 58.0)])) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"zones": [circle("far", 58.0), circle("ring", 57.01)]}, ("GEO-07", "zones[ring].precedence")),
        ({"parties": [{"id": "nc", "name": "northern command"}]}, ("PAR-01", "parties[north]")),
        ({"parties": [{"id": "north", "name": "Northern Fishers"}]}, ("PAR-01", "parties[north]")),
        ({"parties": [{"id": "x", "name": "X", "aliases": ["North"]}]}, ("PAR-01", "parties[north]")),
        (
            {"channels": [{"id": "line_a", "kind": "phone", "between": ["south", "north"]}]},
            ("WRN-03", "channels[line_a]"),
        ),
        ({"conduct": {"permitted": ["Anchor"]}}, ("CON-02", "conduct.prohibited[anchor]")),
    ],
)
def test_bad_pair_has_what_stands_in_it(changed: dict[str, Any], expected: tuple[str, str]):
    acts = {"prohibited": [{"id": "anchor", "what": "anchoring"}]}
    first = told("a", zones=[circle("ring", 57.0)], conduct=acts)
    second = told("b", **({"zones": [circle("ring", 58.0)]} | changed))
    assert between(first, second) == [(expected[0], "a.yaml", expected[1])]


def test_zone_that_lifts_what_another_binds_contradicts_it_until_one_goes_before():
    binds = told("a", zones=[circle("ring", 57.0, applies_to=["north"])])
    for other in (
        circle("gate", 57.0, kind="exempt", applies_to=["north"]),
        circle("gate", 57.0, applies_to=["south"], exempt=["north"]),
    ):
        assert [code for code, *_ in between(binds, told("b", zones=[other]))] == ["GEO-07", "CON-02"]
        ordered = told("a", zones=[circle("ring", 57.0, applies_to=["north"], precedence=2)])
        assert between(ordered, told("b", zones=[other | {"precedence": 1}])) == []
    south = circle("gate", 57.0, kind="exempt", applies_to=["south"])
    assert [code for code, *_ in between(binds, told("b", zones=[south]))] == ["GEO-07"]
    drones = [circle("ring", 57.0, classes=["drone"])]
    boats = [circle("gate", 57.0, kind="exempt", classes=["fishing"])]
    assert [code for code, *_ in between(told("a", zones=drones), told("b", zones=boats))] == ["GEO-07"]


def test_party_is_followed_under_its_other_id():
    binds = told("a", zones=[circle("ring", 57.0, applies_to=["north"])])
    lifts = told(
        "b",
        parties=[{"id": "nc", "name": "Northern Command"}],
        channels=[],
        zones=[circle("gate", 57.0, kind="exempt", applies_to=["nc"])],
    )
    assert [code for code, *_ in between(binds, lifts)] == ["PAR-01", "GEO-07", "CON-02"]


def test_one_carrier_fails_under_both_and_a_call_to_any_vessel_is_no_one_line():
    carried = [{"id": "one", "kind": "sms", "to": ["south"], "carrier": "Alden Mobile"}]
    again = [{"id": "two", "kind": "phone", "between": ["north", "south"], "carrier": "ALDEN mobile"}]
    far = [circle("ring", 58.0)]
    assert between(told("a", channels=carried), told("b", channels=again, zones=far)) == [
        ("WRN-03", "a.yaml", "channels[one]")
    ]
    vhf = [{"id": "vhf16", "kind": "vhf", "to": "vessel"}]
    assert between(told("a", channels=vhf), told("b", channels=vhf, zones=far)) == []


def test_agreements_never_in_force_at_once_are_compared_by_names_only():
    ended = told("a", effective={"to": "2030-01-01T00:00:00Z"})
    later = told("b", effective={"from": "2030-01-01T00:00:00Z"}, parties=[{"id": "nc", "name": "Northern Command"}])
    assert [code for code, *_ in between(ended, later)] == ["PAR-01"]


def test_versions_of_one_agreement_are_refused():
    with pytest.raises(AgreementError, match="agreement diff"):
        between(told("a"), told("a"))


def test_examples_have_nothing_against_each_other():
    names = ("at-tanf-2017", "northreach-cable")
    assert lint_together([load(DATA / f"{name}.yaml") for name in names]) == ()


def test_command_prints_every_file_and_what_is_between(tmp_path: Path):
    paths = []
    for document in (told("a"), told("b")):
        paths.append(tmp_path / f"{document['id']}.yaml")
        paths[-1].write_text(json.dumps(document))
    arguments = ["lint", *map(str, paths)]
    done = CliRunner().invoke(app, [*arguments, "--format", "json"])
    findings = json.loads(done.stdout)["findings"]
    assert done.exit_code == 1 and {"a.yaml", "b.yaml"} == {Path(f["where"].split(": ")[0]).name for f in findings}
    assert (findings[0]["code"], findings[0]["where"]) == ("GEO-07", f"{paths[0]}: zones[ring].precedence")
    text = CliRunner().invoke(app, arguments).stdout
    assert text.startswith("# between these agreements\n\nwarning GEO-07") and f"\n\n# {paths[1]}\n" in text
    runs = json.loads(CliRunner().invoke(app, [*arguments, "--format", "sarif"]).stdout)["runs"]
    assert len(runs[0]["results"]) == len(findings)
    assert CliRunner().invoke(app, [*arguments, "--format", "html"]).exit_code == 2
