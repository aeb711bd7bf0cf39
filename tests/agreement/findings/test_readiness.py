"""What an agreement can be used for, and SARIF."""

import json
from pathlib import Path

from tocsin.agreement.findings.readiness import BLOCKERS, Use, counts_by_group, readiness
from tocsin.agreement.findings.sarif import format_sarif
from tocsin.agreement.lint import lint
from tocsin.agreement.load import load, parse
from tocsin.agreement.rules import CHECKS

DATA = Path(__file__).parents[2] / "data" / "agreements"


def test_ring_could_be_watched_and_neither_warned_nor_recorded():
    agreement = load(DATA / "at-tanf-2017.yaml")
    told = {r.use: r for r in readiness(agreement, lint(agreement))}
    assert [told[use].is_ready for use in Use] == [True, False, False]
    assert {"WRN-02", "WRN-03", "WRN-04", "WRN-06"} <= set(told[Use.WARN].blockers)
    assert not told[Use.WATCH].blockers and not told[Use.WATCH].refusals


def test_cable_is_ready_for_everything():
    agreement = load(DATA / "northreach-cable.yaml")
    assert all(r.is_ready for r in readiness(agreement, lint(agreement)))


def test_what_does_not_compile_is_not_ready():
    agreement = parse("format: tocsin-agreement/1\nid: a\nzones: [{id: z, geometry: {polygon: nowhere}}]\n")
    watch = readiness(agreement, lint(agreement))[0]
    assert not watch.is_ready and "GEO-01" in watch.blockers
    assert any("drawn nowhere" in r for r in watch.refusals)


def test_blockers_are_checks_and_counts_add_up():
    assert {code for codes in BLOCKERS.values() for code in codes} <= set(CHECKS)
    findings = lint(load(DATA / "at-tanf-2017.yaml"))
    assert sum(n for by in counts_by_group(findings).values() for n in by.values()) == len(findings)


def test_sarif_points_to_the_line_and_names_its_rules():
    findings = lint(load(DATA / "at-tanf-2017.yaml"))
    (run,) = json.loads(format_sarif(findings, version="0.1.0"))["runs"]
    rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
    assert len(run["results"]) == len(findings)
    for result, finding in zip(run["results"], findings, strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"] == finding.code
        region = result["locations"][0]["physicalLocation"]["region"]
        assert (region["startLine"], result["level"]) == (
            finding.where.line,
            {"E": "error", "W": "warning"}.get(finding.severity, "note"),
        )
        assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == finding.path
