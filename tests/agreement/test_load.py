"""Loading: what is kept, what is refused, and where it says so."""

from pathlib import Path

import pytest

from tocsin.agreement.load import load, parse
from tocsin.agreement.source import document
from tocsin.agreement.terms.state import Blank, Disputed, State, given
from tocsin.agreement.terms.types import Vague
from tocsin.errors import AgreementErrors

DATA = Path(__file__).parent.parent / "data" / "agreements"
HEAD = "format: tocsin-agreement/1\nid: a\nversion: 1\n"


def refusals(text: str) -> list[str]:
    with pytest.raises(AgreementErrors) as caught:
        parse(HEAD + text)
    return [str(e) for e in caught.value.errors]


def test_examples_load_unchanged_and_know_their_lines():
    ring = load(DATA / "at-tanf-2017.yaml")
    cable = load(DATA / "northreach-cable.yaml")
    assert not ring.unknown and not cable.unknown
    place = ring.where("zones[0].geometry.circle.radius")
    assert (place.line, place.path) == (27, "zones[0].geometry.circle.radius_m")
    assert "radius_m: 55000" in ring.document.line(place.line)
    assert ring.where("zones[ring].geometry.circle.radius_m") == place
    assert given(given(cable.ladder)[0].repeat).every_s == 180.0
    assert given(cable.effective).from_us == 1_935_360_000_000_000


def test_four_states_are_four_things():
    agreement = parse(HEAD + "notices: {movement: not_set}\nexit: {notice: not_applicable, partial: }\n")
    assert given(agreement.notices).movement is Blank.NOT_SET
    assert agreement.state("notices.movement.read_within") is State.NOT_SET
    assert agreement.state("exit.notice") is State.NOT_APPLICABLE
    assert agreement.state("exit.partial") is State.SILENT
    assert agreement.state("exit.on_lapse") is State.SILENT
    assert agreement.state("id") is State.SET
    assert given(agreement.exit).partial is None


def test_dispute_keeps_both_readings_and_takes_neither():
    agreement = parse(
        HEAD + "disputes: {body: {disputed: [{says: a, value: the panel, source: S1}, {says: b, value: nobody}]}}\n"
    )
    body = given(agreement.disputes).body
    assert body == Disputed(readings=(("a", "the panel"), ("b", "nobody")))
    assert given(body) is None and agreement.state("disputes.body") is State.DISPUTED


def test_bare_number_refused_with_place():
    (told,) = refusals("zones:\n  - id: z\n    geometry:\n      circle: {centre: c, radius: 55000}\n")
    assert told.startswith(
        "agreement.yaml:7 (zones[0].geometry.circle.radius): found 55000, expected a length with its unit"
    )


@pytest.mark.parametrize(
    ("written", "metres"),
    [("radius: 55 km", 55_000.0), ("radius_m: 55000", 55_000.0), ("radius_nmi: 2", 3_704.0), ("radius: 1 NM", 1_852.0)],
)
def test_quantity_by_text_or_by_key(written: str, metres: float):
    agreement = parse(HEAD + f"zones: [{{id: z, geometry: {{circle: {{centre: c, {written}}}}}}}]\n")
    assert given(given(agreement.zones)[0].geometry).circle.radius_m == metres


def test_open_ended_length_is_kept_for_the_linter():
    agreement = parse(HEAD + 'zones: [{id: z, geometry: {circle: {centre: c, radius: "about 55 km"}}}]\n')
    assert given(given(agreement.zones)[0].geometry).circle.radius_m == Vague("about 55 km")


def test_refusals_come_together_in_file_order():
    told = refusals(
        'effective: {from: "2031-05-01T00:00:00"}\n'
        "channels: [{id: 9}, {kind: vhf}]\n"
        "armed: perhaps\n"
        "ladder: [{level: 1, ack_within: 3}]\n"
    )
    assert [t.split(":")[1].split(" ")[0] for t in told] == ["4", "5", "5", "6", "7"]
    assert "expected an instant with its offset" in told[0]
    assert "no id" in told[2] or "no id" in told[1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("id: b\n", "key 'id' a second time"),
        ("title: !!python/object:os.system {}\n", "tag tag:yaml.org,2002:python/object:os.system"),
        ("title: !!str x\n", "tag"),
        ("version_of: .nan\n", "number .nan"),
        ("zones: [{id: z, uncertainty_m: .inf}]\n", "number .inf"),
        ("zones: [{id: z, uncertainty_m: 1e999}]\n", "number 1e999"),
        ("---\nformat: tocsin-agreement/1\n", "a second document"),
        ("title: [a\n", "text that is not YAML"),
        ("title: *nothing\n", "alias *nothing"),
        ("a: &a [*a]\n", "alias *a"),
        ("? [a]\n: b\n", "a key that is no plain text"),
        ("zones: [{id: z, uncertainty_m: -5}]\n", "-5"),
        ("clock: {zone: Asia/Damascuss}\n", "'Asia/Damascuss'"),
        ("zones: [{id: 'a b'}]\n", "'a b'"),
        ("zones: [{id: z, domains: [see]}]\n", "'see'"),
        ("geojson: ../../etc/passwd\n", "no file"),
    ],
)
def test_hostile_or_wrong_text_refused(text: str, found: str, tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_text(HEAD + text)
    with pytest.raises(AgreementErrors) as caught:
        load(path)
    told = str(caught.value)
    assert found in told or "geojson '../../etc/passwd'" in told
    assert "a.yaml:" in told


def test_geojson_that_is_a_link_out_of_the_folder_is_refused_and_a_link_within_it_is_followed(tmp_path: Path):
    (tmp_path / "here" / ".data").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "here" / ".data"):
        (folder / "z.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    text = "format: tocsin-agreement/1\nid: a\ngeojson: z.geojson\n"
    (tmp_path / "here" / "z.geojson").symlink_to(tmp_path / "z.geojson")
    with pytest.raises(AgreementErrors, match="a link to a file elsewhere"):
        parse(text, folder=tmp_path / "here")
    (tmp_path / "here" / "z.geojson").unlink()
    (tmp_path / "here" / "z.geojson").symlink_to(".data/z.geojson")
    assert parse(text, folder=tmp_path / "here").collection is not None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('effective: {from: "0001-01-01T00:00:00+14:00"}', "found '0001-01-01T00:00:00+14:00', expected an instant"),
        ('effective: {to: "9999-12-31T23:59:59-14:00"}', "found '9999-12-31T23:59:59-14:00', expected an instant"),
        ("disputes: {quorum: 9007199254740992}", "expected a whole number of at most 9,007,199,254,740,991"),
        ("disputes: {quorum: " + "9" * 5_000 + "}", "expected a whole number of at most"),
    ],
)
def test_what_could_be_read_and_not_written_again_is_refused(text: str, found: str):
    (told,) = refusals(text)
    assert found in told


def test_alias_bomb_refused_before_it_grows(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(document, "MAX_NODES", 10_000)
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
    )
    (told,) = refusals(bomb)
    assert "more than 10,000 values" in told


def test_depth_and_size_refused(monkeypatch: pytest.MonkeyPatch):
    assert "levels of nesting" in refusals("a: " + "[" * 100 + "]" * 100)[0]
    monkeypatch.setattr(document, "MAX_BYTES", 20)
    assert "bytes" in refusals("title: x\n")[0]


def test_bytes_that_are_not_utf8_refused_with_line():
    with pytest.raises(AgreementErrors, match=r"a\.yaml:2: found byte 0xff, expected UTF-8"):
        parse(b"format: tocsin-agreement/1\nid: \xff\n", file="a.yaml")


def test_unknown_key_is_kept_with_its_nearest():
    agreement = parse(HEAD + "zones: [{id: z, uncertianty_m: 5, note: for people}]\n")
    (unknown,) = agreement.unknown
    assert (unknown.path, unknown.nearest) == ("zones[0].uncertianty_m", "uncertainty_m")


def test_words_of_yaml_1_1_stay_words():
    agreement = parse(
        HEAD + "languages: {authentic: [no, en]}\nparties: [{id: p, consent: {state: signed, on: 2031-04-02}}]\n"
    )
    assert given(agreement.languages).authentic == ("no", "en")
    assert given(given(agreement.parties)[0].consent).on.isoformat() == "2031-04-02"


def test_digest_ignores_key_order_and_comments_only():
    a = parse(HEAD + "title: x\narmed: true\n")
    b = parse("# note\narmed: true\ntitle: x\nversion: 1\nid: a\nformat: tocsin-agreement/1\n")
    c = parse(HEAD + "title: y\narmed: true\n")
    assert a.digest == b.digest != c.digest


def test_inline_features_and_swapped_coordinates():
    drawn = (
        "features:\n"
        "  - {type: Feature, id: f, properties: {}, geometry: {type: Point, coordinates: [38.6, 33.5]}}\n"
        "  - {type: Feature, id: g, properties: {}, geometry: {type: Point, coordinates: [33.5, 138.6]}}\n"
    )
    told = refusals(drawn)
    assert len(told) == 1 and told[0].startswith("agreement.yaml:6") and "swapped" in told[0]


@pytest.mark.parametrize(
    ("crs", "kept"),
    [
        ('{"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}', None),
        ('{"type": "name", "properties": {"name": "EPSG:27700"}}', "EPSG:27700"),
        ('{"properties": []}', "{'properties': []}"),
        ("5", "5"),
    ],
)
def test_reference_system_of_an_old_file_is_kept_for_the_linter(crs: str, kept: str | None, tmp_path: Path):
    (tmp_path / "z.geojson").write_text(f'{{"type": "FeatureCollection", "features": [], "crs": {crs}}}')
    (tmp_path / "a.yaml").write_text(HEAD + "geojson: z.geojson\n")
    assert load(tmp_path / "a.yaml").crs == kept


def test_file_past_its_limit_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tocsin.agreement.load.MAX_BYTES", 100)
    (tmp_path / "a.yaml").write_text(HEAD + "#" * 200)
    with pytest.raises(AgreementErrors, match="more than 100 bytes"):
        load(tmp_path / "a.yaml")
