"""The linter: exactly the findings that are stated for the two examples, and the rules every check obeys."""

import copy
import json
import random
import re
import sys
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml

from tocsin.agreement.findings.history import HISTORY
from tocsin.agreement.findings.readiness import readiness
from tocsin.agreement.findings.text import format_json, format_text
from tocsin.agreement.lint import is_clean, lint
from tocsin.agreement.load import load, parse
from tocsin.agreement.rules import CHECKS, GROUPS
from tocsin.agreement.rules.check import Finding
from tocsin.agreement.terms.state import State

DATA = Path(__file__).parent.parent / "data" / "agreements"
RING = set(
    [
        "PAR-02",
        "PAR-03",
        "PAR-04",
        "GEO-04",
        "TIM-01",
        "TIM-02",
        "TIM-03",
        "CON-02",
        "CON-03",
        "CON-07",
        "NOT-01",
        "NOT-02",
        "NOT-03",
        "WRN-02",
        "WRN-03",
        "WRN-04",
        "WRN-06",
        "VER-01",
        "VER-02",
        "INC-01",
        "INC-02",
        "INC-05",
        "DIS-01",
        "COM-01",
        "COM-02",
        "AMD-01",
        "EXT-01",
    ]
)
CABLE = yaml.safe_load((DATA / "northreach-cable.yaml").read_text().replace(" on: ", " 'on': "))


def of(told: Any) -> tuple[Finding, ...]:
    """Findings of an agreement given as JSON values, its zones drawn in the folder of the examples."""
    return lint(parse(json.dumps(told), folder=DATA))


def test_list_has_eighty_checks_and_one_for_the_file():
    severities = [CHECKS[code].severity for code in CHECKS if code != "FMT-01"]
    assert [severities.count(s) for s in ("E", "W", "I")] == [34, 41, 5]
    assert list(dict.fromkeys(code[:3] for code in CHECKS)) == list(GROUPS)
    armed_only = {code for code in CHECKS if CHECKS[code].armed_only}
    assert armed_only == {"PAR-05", "PAR-06", "PAR-07", "CON-05", "CON-06", "CON-07", "CON-08", "INC-06"}


def test_ring_of_2017_has_the_stated_errors_and_no_other():
    findings = lint(load(DATA / "at-tanf-2017.yaml"))
    assert {f.code for f in findings if f.severity == "E"} == RING and len(RING) == 27
    consent = {f.path: f.state for f in findings if f.code == "PAR-02"}
    assert consent == {"parties[russia].consent": State.DISPUTED, "parties[syria].consent": State.SET}
    pairs = {f.path: f.state for f in findings if f.code == "COM-01"}
    assert pairs == {"channels[deconfliction_line].backup": State.NOT_SET, "channels": State.SILENT}
    (domains,) = [f for f in findings if f.code == "GEO-04"]
    assert domains.state is State.SILENT and "air" in domains.message
    assert not is_clean(findings)


def test_cable_has_the_stated_findings_and_no_other():
    findings = lint(load(DATA / "northreach-cable.yaml"))
    by_severity = {s: {f.code for f in findings if f.severity == s} for s in "EWI"}
    assert by_severity == {
        "E": set(),
        "W": {"GEO-07", "TIM-05", "WRN-05", "WRN-09", "VER-05", "COM-03", "EXT-03"},
        "I": {"GEO-11", "NOT-06", "VER-07"},
    }
    untested = {f.path for f in findings if f.code == "WRN-09"}
    assert untested == {f"channels[{name}].tested" for name in ("ais_msg", "desk_mail", "nfa_sms")}
    assert is_clean(findings)


def test_faster_vessels_leave_no_time_for_the_words():
    told = copy.deepcopy(CABLE)
    told["time_budget"]["max_speed_kn"] = 30
    (late,) = [f for f in of(told) if f.code == "WRN-06" and f.path == "time_budget"]
    assert "9 min" in late.message and "8 min" in late.message


def keys_of(told: Any, path: str = "") -> list[str]:
    """Every path below the top of a document."""
    found = []
    members = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for key, value in members:
        at = f"{path}[{key}]" if isinstance(told, list) else f"{path}.{key}" if path else str(key)
        found += [at, *keys_of(value, at)]
    return found


def pattern(path: str) -> str:
    """The path as checks name it: no positions, no units."""
    return re.sub(r"_(m|s|kn|mps)$", "", re.sub(r"\[\d+\]", "[]", path))


MECHANISMS: dict[str, set[str]] = {}
for _check in (c for c in CHECKS.values() if not c.armed_only):
    for _key in _check.keys:
        MECHANISMS.setdefault(_key, set()).add(_check.code[:3])
MECHANISM_PATHS = [path for path in keys_of(CABLE) if pattern(path) in MECHANISMS]


def changed(path: str, value: Any) -> Any:
    """The cable agreement with one value replaced, or deleted (None)."""
    told = copy.deepcopy(CABLE)
    at: Any = told
    steps = [int(s[1:-1]) if s.startswith("[") else s for s in re.findall(r"\[\d+\]|[^.\[\]]+", path)]
    for step in steps[:-1]:
        at = at[step]
    if value is None:
        del at[steps[-1]]
    else:
        at[steps[-1]] = value
    return told


BASE = {(f.code, f.path, f.state) for f in of(CABLE)}
REQUIRED = re.compile(r"(^|\.)(id|level|state|event)$")


def news(told: Any) -> list[Finding]:
    """Findings that the cable itself has not; one about overlapping zones only changes its names."""
    return [f for f in of(told) if (f.code, f.path, f.state) not in BASE and f.code != "GEO-07"]


@pytest.mark.parametrize("path", MECHANISM_PATHS)
def test_mechanism_deleted_is_found_in_its_own_groups(path: str):
    if REQUIRED.search(path):
        return
    found = news(changed(path, None))
    below = [p for p in keys_of(CABLE) if p == path or p.startswith((f"{path}.", f"{path}["))]
    depending = {group for p in below for group in MECHANISMS.get(pattern(p), ())}
    groups = {f.code[:3] for f in found}
    assert groups and groups <= depending, [(f.code, f.message) for f in found]


@pytest.mark.parametrize("path", MECHANISM_PATHS)
def test_mechanism_declared_not_set_is_never_silent(path: str):
    if REQUIRED.search(path):
        return
    found = news(changed(path, "not_set"))
    known = {State.NOT_SET, State.INCONSISTENT, State.SET}
    assert {f.state for f in found} <= known, [(f.code, f.state, f.path) for f in found]
    assert any(f.state is State.NOT_SET for f in found)


def shuffled(told: Any, rng: random.Random, key: str = "") -> Any:
    if isinstance(told, dict):
        items = list(told.items())
        rng.shuffle(items)
        return {k: shuffled(v, rng, k) for k, v in items}
    if isinstance(told, list):
        members = [shuffled(v, rng) for v in told]
        if key != "speed_between_kn":
            rng.shuffle(members)
        return members
    return told


@pytest.mark.parametrize("name", ["northreach-cable", "at-tanf-2017"])
def test_shuffled_keys_and_lists_give_the_same_bytes(name: str):
    told = yaml.safe_load((DATA / f"{name}.yaml").read_text().replace(" on: ", " 'on': "))
    wanted = format_json(of(told))
    for seed in range(5):
        assert format_json(of(shuffled(told, random.Random(seed)))) == wanted


@pytest.mark.parametrize(
    ("one", "other"), [("authority", "operator"), ("operator", "fishers"), ("authority", "traffic")]
)
def test_swapped_parties_get_the_same_findings(one: str, other: str):
    names = {one: other, other: one}

    def swapped(told: Any) -> Any:
        if isinstance(told, dict):
            return {names.get(k, k): swapped(v) for k, v in told.items()}
        if isinstance(told, list):
            return [swapped(v) for v in told]
        return names.get(told, told) if isinstance(told, str) else told

    def renamed(text: str) -> str:
        return re.sub(rf"\b({one}|{other})\b", lambda m: names[m[0]], text)

    told = {**CABLE, "record": {"keeper": "not_set"}, "channels": CABLE["channels"][5:]}
    before = {(f.code, f.state, f.path, f.message) for f in of(told)}
    after = {(f.code, f.state, renamed(f.path), renamed(f.message)) for f in of(swapped(told))}
    assert before == after


def test_unknown_key_is_a_finding_with_its_nearest():
    told = copy.deepcopy(CABLE)
    told["exit"]["notise"] = "P60D"
    (found,) = [f for f in of(told) if f.code == "FMT-01"]
    assert found.severity == "I" and found.path == "exit.notise" and "nearest known key is notice" in found.message


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"after": "1 h"}, "the name of the feed"),
        ({"feed": "sat"}, "its number"),
        ({"feed": "sat", "missed": 3}, "its number"),
        ({"feed": "sat", "every": "1 h", "missed": "not_set"}, "its number"),
        ({"feed": "sat", "every": "1 h", "after": "20 min"}, "silent between two reports"),
        ({"feed": "sat", "every": "1 h", "missed": 2}, ""),
        ({"feed": "sat", "every": "1 h", "after": "3 h"}, ""),
    ],
)
def test_time_of_a_feed_that_is_half_set_or_too_short_is_found(entry: dict[str, Any], found: str):
    gap = {"after": "20 min", "by_source": [entry]}
    told = {"format": "tocsin-agreement/1", "id": "a", "conduct": {"thresholds": {"gap": gap}}}
    messages = [f.message for f in of(told) if f.code == "CON-03" and "Threshold gap" in f.message]
    assert [found in message for message in messages] == ([True] if found else [])


def test_unit_that_no_channel_ends_at_is_found_where_there_are_channels():
    told = {
        "format": "tocsin-agreement/1",
        "id": "a",
        "parties": [{"id": "watch", "name": "Watch"}, {"id": "unit_12", "name": "Twelfth Unit"}],
        "notices": {"movement": {"passed_to": ["watch", "unit_12"]}},
        "channels": [{"id": "mail", "kind": "mail", "to": ["watch"]}],
    }

    def found(told: Any) -> list[str]:
        return [f.message for f in of(told) if f.code == "NOT-05"]

    assert ["unit_12; no channel ends at it" in message for message in found(told)] == [True]
    told["channels"] = [*told["channels"], {"id": "hotline", "kind": "phone", "between": ["watch", "unit_12"]}]
    assert not found(told) and not found(told | {"channels": []})


def test_text_gives_each_finding_its_line_and_each_check_its_history_and_fix_once():
    agreement = load(DATA / "at-tanf-2017.yaml")
    findings = lint(agreement)
    text = format_text(findings, readiness=readiness(agreement, findings))
    assert "at-tanf-2017.yaml:42: channels[deconfliction_line].backup\n    | …" in text
    assert "error COM-01: channel per pair" in text
    flowed = " ".join(text.split())
    assert "not_set: Channel deconfliction_line declares as not set its backup." in flowed
    for code in {f.code for f in findings}:
        assert flowed.count(f"from history: {HISTORY[code]} how to set it:") == sum(
            HISTORY[other] == HISTORY[code] for other in {f.code for f in findings}
        )
        assert indent(CHECKS[code].fix, "    ") in text
    assert all(f.message in flowed and f"{f.where.file}:{f.where.line}: {f.path}" in text for f in findings)
    assert "ready to watch: yes" in text and "ready to warn: no, for CON-03, TIM-01" in text
    assert "Mechanisms not set yet" in format_text(findings, declared_ok=True)


def test_json_has_five_keys_and_silence_stands_first():
    told = json.loads(format_json(lint(load(DATA / "at-tanf-2017.yaml"))))["findings"]
    assert all(list(f) == ["code", "severity", "state", "where", "message"] for f in told)
    states = [f["state"] for f in told if f["severity"] == "E"]
    assert states[: states.count("silent")] == ["silent"] * states.count("silent")


def test_declared_blanks_may_be_accepted_and_silence_never():
    told = "format: tocsin-agreement/1\nid: a\n"
    assert not is_clean(lint(parse(told)), declared_ok=True)
    findings = tuple(f for f in lint(load(DATA / "at-tanf-2017.yaml")) if f.state is State.NOT_SET)
    assert is_clean(findings, declared_ok=True) and not is_clean(findings)


def many_zones(count: int) -> str:
    """Return an agreement of so many small zones, drawn in z.geojson."""
    zones = "".join(
        f"  - {{id: z{i}, kind: protection, geometry: {{polygon: f{i}}}, uncertainty_m: 20, domains: [sea],"
        f" classes: [fishing], applies_to: all, windows: [always], charted: true, clip: none}}\n"
        for i in range(count)
    )
    return f"format: tocsin-agreement/1\nid: a\nversion: 1\ngeojson: z.geojson\nzones:\n{zones}"


def triangles(count: int) -> str:
    """Return z.geojson: triangles in rows of a hundred that do not touch."""
    drawn = []
    for i in range(count):
        lon, lat = i % 100, i // 100 / 2
        ring = [(lon, lat), (lon + 0.1, lat), (lon, lat + 0.1), (lon, lat)]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        drawn.append({"type": "Feature", "id": f"f{i}", "properties": {}, "geometry": geometry})
    return json.dumps({"type": "FeatureCollection", "features": drawn})


def _calls_to_lint(zones: int, folder: Path) -> int:
    """Return how many calls loading and linting so many zones takes: work, counted where no clock can spoil it."""
    folder.mkdir()
    (folder / "z.geojson").write_text(triangles(zones))
    (folder / "a.yaml").write_text(many_zones(zones))
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        findings = lint(load(folder / "a.yaml"))
    finally:
        sys.setprofile(None)
    assert {f.code for f in findings if f.code.startswith("GEO")} == {"GEO-04"}
    return calls


def test_work_grows_with_the_zones_and_no_faster(tmp_path: Path):
    few, many = (_calls_to_lint(zones, tmp_path / str(zones)) for zones in (300, 3_000))
    assert many < 11 * few  # comparing each zone with each would be 100 times; the time itself is in benchmarks/lint.py
