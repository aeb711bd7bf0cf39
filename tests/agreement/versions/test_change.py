"""Setting one value: comments, order and every other byte survive; what the format refuses is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.agreement.load import load
from tocsin.agreement.source.document import blank_state, compose
from tocsin.agreement.source.edit import edit
from tocsin.agreement.source.flow import flow
from tocsin.agreement.versions.change import set_value
from tocsin.errors import AgreementError, AgreementErrors

ROOT = Path(__file__).parents[3]
FILES = [
    ROOT / "examples" / "at-tanf" / "with-mechanisms.yaml",
    ROOT / "examples" / "us-coast" / "agreement.yaml",
    ROOT / "tests" / "data" / "agreements" / "northreach-cable.yaml",
]
HARD = """# first
a: 1   # one
b:   # two

  - {id: x, n: [1,2 ,  3], }   # three
  - id: y
    t: >-
      folded
      text

    # four
    u: 'it''s'
c:
"k: e": {q: "r"}
é: |
  kept
# last"""


def paths_of(told, path=""):
    members = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for key, value in members:
        if isinstance(key, str) and not key.isidentifier():
            continue
        at = f"{path}[{key}]" if isinstance(told, list) else f"{path}.{key}" if path else key
        yield at
        yield from paths_of(value, at)


TEXTS = {FILES[2].name: FILES[2].read_bytes()} | {
    "hard": HARD.encode(),
    "crlf": b"\xef\xbb\xbf" + HARD.replace("\n", "\r\n").encode(),
}
PLACES = [(name, path) for name, text in TEXTS.items() for path in paths_of(compose(text, file=name).root.plain())]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=12) | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(value=VALUES)
def test_a_value_in_one_line_reads_back_as_itself(value):
    line = flow(value)
    assert "\n" not in line
    assert compose(f"v: {line}".encode(), file="").root.plain() == {"v": value}
    assert compose(f"v: [{line}, 1]".encode(), file="").root.plain() == {"v": [value, 1]}


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(PLACES), kind=st.sampled_from(["put", "key", "append"]), data=st.data())
def test_an_edit_changes_its_value_and_not_one_byte_outside_it(place, kind, data):
    (name, path), text = place, TEXTS[place[0]]
    value = data.draw(st.sampled_from(["not_set", "55 km", "{a: [b, 'c d']}", '"# no comment"', "x, y"]))
    before = compose(text, file=name).root
    node = compose(text, file=name).find(path)[0]
    held = node.plain()
    try:
        done = edit(text, path + {"put": "", "key": ".new_key", "append": "[]"}[kind], value, file=name)
    except AgreementError as error:
        holds = {"put": (), "key": (dict,), "append": (list,)}[kind]
        assert "comments inside" in str(error) or (kind != "put" and not (isinstance(held, holds) and held))
        return
    after, told = compose(done.text, file=name), compose(value.encode(), file="").root.plain()
    assert after.find(done.path)[0].plain() == told
    comments = re.findall(rb"(?m)(?<=# )\w+(?=\r?$)", text)
    assert re.findall(rb"(?m)(?<=# )\w+(?=\r?$)", done.text) == comments
    if kind != "put" and isinstance(held, dict | list) and held and blank_state(node) is None:
        same = next((i for i, (a, b) in enumerate(zip(text, done.text, strict=False)) if a != b), len(text))
        assert done.text.endswith(text[same:])  # something was put in, and nothing taken out
    else:
        back = edit(done.text, path, flow(held)) if held is not None else done
        assert held is None or compose(back.text, file=name).root.plain() == before.plain()
    lines = [line for line in text.splitlines(True) if b"#" in line or not line.strip()]
    assert [line for line in done.text.splitlines(True) if line in lines and line.strip() == b""] == [
        line for line in lines if not line.strip()
    ]


@pytest.mark.parametrize("path", ["domains_out.air", "conduct.new.list"])
def test_the_first_member_of_a_list_that_was_not_there_has_its_own_path(path):
    done = edit(b"domains_out: {air: not_applicable}\nconduct: {}\n", path + "[]", "low flights")
    assert (done.path, done.new) == (path + "[0]", "low flights")


def test_a_radius_is_set_in_its_place(tmp_path):
    file = FILES[0]
    done = set_value(
        file.read_bytes(), "zones[ring].geometry.circle.radius", "60 km", file="a.yaml", folder=file.parent
    )
    assert (done.path, done.old, done.new) == ("zones[0].geometry.circle.radius", "55 km", "60 km")
    assert done.text == file.read_bytes().replace(b"radius: 55 km", b"radius: 60 km", 1)


@pytest.mark.parametrize(
    ("path", "value", "refusal"),
    [
        ("exit.notice", "5", "found 5, expected a duration"),
        ("record.kept", "me", "found key 'kept', expected the key keeper"),
        ("zones[nowhere].name", "x", "found no member [nowhere]"),
        ("zones[ring].name.first", "x", "found a value that holds no keys"),
        ("zones[ring].name[]", "x", "found no list"),
        ("zones[ring]", "not_set", "expected a mapping"),
        ("exit.notice", " ", "found nothing"),
        ("exit.notice", "[", "not YAML"),
        ("", "x", "found no path"),
    ],
)
def test_what_the_format_refuses_is_refused(path, value, refusal):
    file = FILES[0]
    with pytest.raises(AgreementError) as caught:
        set_value(file.read_bytes(), path, value, file="a.yaml", folder=file.parent)
    assert refusal in str(caught.value)


def test_a_broken_file_can_be_mended_value_by_value():
    text = b"format: tocsin-agreement/1\nid: x\nexit: {notice: 5} # five\nversion: four\n"
    once = set_value(text, "exit.notice", "P5D", file="a.yaml").text
    assert once == text.replace(b"notice: 5", b"notice: P5D")
    with pytest.raises(AgreementErrors, match="six"):
        set_value(once, "version", "six", file="a.yaml")
    assert set_value(once, "version", "6", file="a.yaml").text == once.replace(b"four", b"6")


def test_an_anchored_value_is_not_changed_behind_its_alias():
    with pytest.raises(AgreementError, match="by hand"):
        edit(b"a: &x {k: 1}\nb: *x\n", "a.k", "2")
    assert edit(b"a: &x {k: 1}\nb: *x\n", "b", "2").text == b"a: &x {k: 1}\nb: 2\n"


def test_every_shipped_agreement_loads_after_an_edit(tmp_path):
    for file in FILES:
        done = set_value(file.read_bytes(), "exit.notice", "P31D", file=file.name, folder=file.parent)
        (tmp_path / file.name).write_bytes(done.text)
        for drawing in file.parent.glob("*.geojson"):
            (tmp_path / drawing.name).write_bytes(drawing.read_bytes())
        assert load(tmp_path / file.name).exit.notice_s == 31 * 86400
