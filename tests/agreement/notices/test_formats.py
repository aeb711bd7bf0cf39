"""Reading: every format gives the same notice, every entry is counted, a hostile file costs its entry or itself."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.agreement.notices.given import form, notice

from tocsin.agreement.notices.formats.read import parse_notices, read_notices
from tocsin.agreement.notices.notice import Around, Notice, Route
from tocsin.agreement.notices.words import NoticeKind, RuleName
from tocsin.errors import SettingError

HEADER = "reference,party,given_by,given_at,track,mover,category,route,half_width,from,to,content.gear\n"
ROW = (
    'F-1,fishers,duty desk,2031-06-01T08:00:00Z,mmsi:257000001,Havorn,fishing,"57.2 5.4; 57 5.44",500 m,'
    "2031-06-02T10:00:00Z,2031-06-02T16:00:00Z,pots\n"
)


def only(text, name):
    found = parse_notices(text if isinstance(text, bytes) else text.encode(), name=name)
    assert not found.refused, found.refused
    (one,) = found.items
    return one


def feature(**changed):
    told = {key: value for key, value in form().items() if key != "route"} | changed
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[5.40, 57.20], [5.44, 57.00]]},
        "properties": told | {"half_width": "500 m"},
    }


def test_every_format_gives_the_same_notice():
    """GeoJSON's longitude first, CSV's positions and the form's keys must not turn out three different places."""
    whole = {"format": "tocsin-notice/1", "notices": [form()]}
    texts = {
        "a.yaml": json.dumps(whole),
        "a.json": json.dumps(whole),
        "a.jsonl": json.dumps({"notice": form()}),
        "a.csv": HEADER + ROW,
        "a.geojson": json.dumps({"type": "FeatureCollection", "features": [feature()]}),
    }
    for name, text in texts.items():
        assert only(text, name).as_json() == notice().as_json(), name


def test_a_point_is_a_circle_and_a_site_is_humanitarian():
    told = {"party": "fishers", "given_by": "x", "given_at": "2031-06-01T08:00:00Z", "kind": "site"}
    point = {"type": "Point", "coordinates": [5.4, 57.2]}
    drawn = {
        "type": "Feature",
        "id": 7,
        "geometry": point,
        "properties": told | {"radius": "200 m", "site": {"name": "H"}},
    }
    found = only(json.dumps(drawn), "a.geojson")
    assert found.place == Around(at=(57.2, 5.4), radius_m=200.0)
    assert (found.kind, found.rule, found.reference) == (NoticeKind.SITE, RuleName.HUMANITARIAN, "7")


def test_a_notice_without_a_reference_is_named_by_what_it_tells():
    one, same, other = (notice(reference=None, **c) for c in ({}, {"given_at": "2031-06-01T09:00:00Z"}, {"to": None}))
    assert one.reference == same.reference != other.reference


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"given_at": "2031-06-01T08:00:00"}, "with its offset"),
        ({"from": "2031-06-02T16:00:00Z", "to": "2031-06-02T10:00:00Z"}, "from before to"),
        ({"replaces": "F-0"}, "no `replaces`"),
        ({"act": "change"}, "`replaces`"),
        ({"replace": "F-0"}, "replace: no key"),
        ({"movers": [{"track": "257000001"}]}, r"movers.0.track"),
        ({"movers": [{}]}, "a track, a name or a category"),
        ({"route": {"line": [{"lat_deg": 57.2, "lon_deg": 5.4}], "half_width": "500 m"}}, "route.line"),
        ({"route": {"line": [{"lat_deg": 57, "lon_deg": 5}] * 2, "half_width": 500}}, "half_width"),
        ({"route": None, "around": {"lat_deg": 105.4, "lon_deg": 57.2, "radius": "1 km"}}, "swapped"),
        ({"around": {"lat_deg": 57.2, "lon_deg": 5.4, "radius": "1 km"}}, "one of route, area and around"),
        ({"kind": "site"}, "a site"),
        ({"reference": "F 1"}, "reference"),
        ({"given_by": "\ud800"}, "surrogate|canonical|utf-8"),
        ({"content": {"gear": 5}}, "content.gear"),
        (
            {
                "route": None,
                "area": {"ring": [{"lat_deg": a, "lon_deg": b} for a, b in ((0, 0), (1, 1), (0, 1), (1, 0))]},
            },
            "self-intersection",
        ),
    ],
)
def test_a_bad_entry_is_refused_with_its_place_and_reason(changed, said):
    text = json.dumps({"notice": form()}) + "\n" + json.dumps({"notice": form(**changed)})
    found = parse_notices(text.encode(), name="a.jsonl")
    assert found.read == 2 and len(found.items) == 1
    (refused,) = found.refused
    assert refused.place.line == 2
    assert re.search(said, refused.reason), refused.reason


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("F-1,fishers,x", "3 cells"),
        ('F-1,"fishers,x', "unexpected end|quote"),
        (ROW.replace("57.2 5.4;", "57.2,5.4;").strip(), "latitude longitude"),
        (ROW.replace("57.2 5.4;", "57.2 east;").strip(), "degrees"),
        (ROW.replace("57.2 5.4;", "nan 5.4;").strip(), "finite|lat_deg|nan|canonical"),
    ],
)
def test_a_bad_row_costs_its_row_only(row, said):
    found = parse_notices((HEADER + row + "\n" + ROW).encode(), name="a.csv")
    assert (found.read, len(found.items), len(found.refused)) == (2, 1, 1)
    assert found.refused[0].place.line == 2
    assert re.search(said, found.refused[0].reason), found.refused[0].reason


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "reference,party,given_by,given_at,colour\n", "column 'colour'"),
        ("a.csv", "reference,party,given_by\n", "no column 'given_at'"),
        ("a.csv", "party,party,given_by,given_at\n", "second time"),
        ("a.csv", "", "empty"),
        ("a.yaml", "notices: []", "no format"),
        ("a.yaml", "format: tocsin-notice/2", "tocsin-notice/2"),
        ("a.yaml", "format: tocsin-notice/1\nnotice: []", "key 'notice'"),
        ("a.yaml", "a: &a [1,1,1,1]\nb: &b [*a,*a]\n" + "c: [*b" + ",*b" * 400_000 + "]", "values"),
        ("a.json", '{"format": "tocsin-notice/1", "format": "x"}', "twice"),
        ("a.json", "[" * 100_000, "nested|JSON"),
        ("a.geojson", '{"type": "FeatureCollection", "features": [], "crs": "EPSG:32633"}', "EPSG:32633"),
        ("a.geojson", '{"type": "Topology"}', "no FeatureCollection"),
        ("a.shp", "x", "'.shp'"),
        ("a.csv", b"\xff\xfe", "0xff"),
    ],
)
def test_a_file_that_is_none_of_the_formats_is_refused_whole(name, text, said):
    with pytest.raises(SettingError, match=said):
        parse_notices(text if isinstance(text, bytes) else text.encode(), name=name)


def test_a_property_that_belongs_to_no_geometry_is_not_dropped():
    point = feature() | {"geometry": {"type": "Point", "coordinates": [5.4, 57.2]}}
    found = parse_notices(json.dumps(point).encode(), name="a.geojson")
    assert "half_width: no key" in found.refused[0].reason


def test_a_folder_is_read_in_order_and_notices_go_before_receipts_of_their_instant(tmp_path):
    (tmp_path / "b.csv").write_text(HEADER + ROW)
    receipt = {"notice": "F-1", "party": "fishers", "receipt": "received", "by": "x", "at": "2031-06-01T08:00:00Z"}
    (tmp_path / "a.jsonl").write_text(json.dumps({"receipt": receipt}))
    (tmp_path / "notes.txt").write_text("not read")
    found = read_notices(tmp_path)
    assert [type(item) is Notice for item in found.items] == [True, False] and found.read == 2
    assert found.items[0].source == "b.csv:2"


positions = st.tuples(st.floats(-80, 80), st.floats(-179, 179))


@given(
    start=positions,
    step=st.tuples(st.floats(0.001, 1), st.floats(0.001, 1)),
    half_width=st.integers(1, 20_000),
    words=st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(st.characters(codec="ascii"), max_size=20)
    ),
    names=st.lists(st.text("abc ä漢", min_size=1, max_size=9), min_size=1, max_size=3),
)
def test_what_is_written_is_what_is_read(start, step, half_width, words, names):
    line = [start, (start[0] + step[0], start[1] + step[1])]
    told = form(
        movers=[{"name": name} for name in names],
        content=words,
        route={"line": [{"lat_deg": a, "lon_deg": b} for a, b in line], "half_width": f"{half_width} m"},
    )
    found = only(json.dumps({"notice": told}), "a.jsonl")
    assert found.place == Route(line=tuple(line), half_width_m=float(half_width))
    assert dict(found.content) == words and [m.name for m in found.movers] == names
    again = notice(**(told | {"movers": list(reversed(told["movers"]))}))
    assert again.content_hash == found.content_hash, "the order of movers means nothing"


@given(st.binary(max_size=300), st.sampled_from(["a.yaml", "a.json", "a.jsonl", "a.csv", "a.geojson"]))
def test_any_bytes_are_refused_or_counted(raw, name):
    try:
        found = parse_notices(raw, name=name)
    except SettingError:
        return
    assert found.read == len(found.items) + len(found.refused)
