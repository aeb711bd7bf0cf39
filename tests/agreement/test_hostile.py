"""Whatever stands in a file, it is read or refused with a place; nothing else happens."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from tocsin.agreement.compile import compile_playbook, compile_watchlist
from tocsin.agreement.findings.page import readiness_page
from tocsin.agreement.findings.text import format_json, format_text
from tocsin.agreement.lint import lint
from tocsin.agreement.load import load, parse
from tocsin.agreement.versions.diff import diff
from tocsin.agreement.visible import compile_policy
from tocsin.errors import AgreementErrors

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data" / "agreements"
WHOLE = ROOT / "examples" / "at-tanf" / "with-mechanisms.yaml"
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 3, 1e9, 0.5, 2**53, 1e308, "P9999999999Y", "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "9999-12-31", "0 m",
    "", "all", "always", "not_set", "not_applicable", "55 km", "PT3M",
    "about 5 km", "2031-05-01T00:00:00Z", "06:00", "x" * 300, "a.b[0]", [], {}, [[]], [{}], ["not_set"], [None], [1, 2],
    {"id": "x"}, {"en": "words", "": ""}, {"not_applicable": True}, {"disputed": 3},
    {"disputed": [{"says": "a", "value": 1}, {"says": "b", "value": 2}]},
    {"type": "Polygon", "coordinates": [[[5, 57], [6, 58], [6, 57], [5, 58], [5, 57]]]},
)  # fmt: skip


def inlined(path: Path) -> Any:
    told = yaml.safe_load(path.read_text().replace(" on: ", " 'on': "))
    drawn = json.loads((path.parent / told.pop("geojson")).read_text())
    return told | {"features": drawn["features"]}


AGREEMENTS = [inlined(p) for p in (DATA / "northreach-cable.yaml", DATA / "at-tanf-2017.yaml", WHOLE)]


def spots(told: Any) -> list[tuple[Any, Any]]:
    """Every place in a document that a value can be put."""
    keys = told.keys() if isinstance(told, dict) else range(len(told)) if isinstance(told, list) else ()
    return [(told, key) for key in keys] + [spot for key in keys for spot in spots(told[key])]


@pytest.mark.parametrize("seed", range(80))
def test_any_value_in_any_place_is_read_or_refused_with_its_place(seed: int):
    rng = random.Random(seed)
    told = copy.deepcopy(rng.choice(AGREEMENTS))
    for _ in range(rng.choice((1, 1, 2, 5))):
        holder, key = rng.choice(spots(told))
        holder[key] = copy.deepcopy(rng.choice(VALUES))
    try:
        agreement = parse(json.dumps(told))
    except AgreementErrors as error:
        assert all(e.place.file and e.found and e.expected for e in error.errors)
        return
    findings = lint(agreement)
    assert format_text(findings) and format_json(findings) and readiness_page(agreement, findings)
    assert diff(agreement, agreement).changes == ()
    for use in (compile_watchlist, compile_playbook, compile_policy):
        try:
            use(agreement)
        except AgreementErrors as error:
            assert all(e.place.file for e in error.errors)


@pytest.mark.parametrize("seed", range(30))
def test_any_bytes_are_read_or_refused(seed: int, tmp_path: Path):
    rng = random.Random(seed)
    text = bytearray((DATA / "northreach-cable.yaml").read_bytes())
    for _ in range(rng.choice((1, 3, 20))):
        at = rng.randrange(len(text))
        cut = rng.choice(("change", "drop", "insert"))
        if cut == "change":
            text[at] = rng.randrange(256)
        elif cut == "drop":
            del text[at : at + rng.choice((1, 5, 200))]
        else:
            text[at:at] = bytes(
                rng.choice((b"{", b"[", b"&a ", b"*a", b"!!x ", b"\t", b"\xff", b"\x00", b"? ", b"<<: "))
            )
    (tmp_path / "a.yaml").write_bytes(text)
    (tmp_path / "northreach-cable.geojson").write_bytes((DATA / "northreach-cable.geojson").read_bytes())
    try:
        lint(load(tmp_path / "a.yaml"))
    except AgreementErrors as error:
        assert "a.yaml" in str(error)


@pytest.mark.parametrize(
    "drawn",
    [
        "", "null", "[]", "{}", "NaN", '{"type": "FeatureCollection"}', '{"features": [1]}',
        '{"features": [{"id": 1}]}', '{"features": [{"id": "f", "geometry": {"type": [], "coordinates": []}}]}',
        '{"features": [], "features": []}', '{"features": [{"id": "f", "geometry": {"type": "Point"}}]}',
        '{"features": [{"id": "f", "geometry": {"type": "Point", "coordinates": [1e999, 0]}}]}',
        '{"features": [{"id": "f", "geometry": {"type": "Point", "coordinates": ["5", 0]}}]}',
        '{"features": [{"id": "f", "geometry": {"type": "Point", "coordinates": [5, 91]}}]}',
        '{"features": [{"id": "f", "geometry": {"type": "Polygon", "coordinates": [[[[5, 57]]]]}}]}',
        '{"features": [{"id": "f", "geometry": {"type": "Polygon", "coordinates": []}}]}',
        '{"features": [{"id": "f", "geometry": {"type": "Circle", "coordinates": [5, 57]}}]}',
        '{"features": [], "x": 9007199254740992}', r'{"features": [], "x": "\ud800"}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_geojson_beside_that_is_none_refused_with_its_file(drawn: str, tmp_path: Path):
    (tmp_path / "z.geojson").write_text(drawn)
    (tmp_path / "a.yaml").write_text("format: tocsin-agreement/1\nid: a\ngeojson: z.geojson\n")
    with pytest.raises(AgreementErrors, match=r"z\.geojson"):
        load(tmp_path / "a.yaml")
