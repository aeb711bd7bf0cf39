"""Names: equal after normalising, never by likeness."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.incident.names import AliasGroup, Names, normalise_name


@pytest.mark.parametrize(
    ("a", "b"),
    [("The US -led Coalition", "U.S.-led coalition"), ("Maghawir al-Thawra's", "maghawir al thawra"),
     ("Ｇuard", "guard"), ("Zoë", "zoe"), ("gu\u200eard", "guard")],
)  # fmt: skip
def test_normalise_spellings_of_one_name_are_equal(a, b):
    assert normalise_name(a) == normalise_name(b)


@pytest.mark.parametrize("name", ["X-led coalition", "X-backed forces", "ministry of X", "anti-X", "X and Y"])
def test_resolve_never_by_containment(name):
    assert Names((AliasGroup(actor_id="x", preferred="X"),)).resolve(name) is None


def test_names_one_name_in_two_groups_is_refused():
    with pytest.raises(ValueError, match="stands in two groups"):
        Names(
            (AliasGroup(actor_id="x", preferred="The X"), AliasGroup(actor_id="y", preferred="Y", alternates=("x!",)))
        )


def test_is_related_follows_parts_upwards_and_survives_a_circle():
    names = Names(
        (
            AliasGroup(actor_id="a", preferred="A", part_of=("b",)),
            AliasGroup(actor_id="b", preferred="B", part_of=("c",)),
            AliasGroup(actor_id="c", preferred="C", part_of=("a",)), AliasGroup(actor_id="d", preferred="D"),
        )
    )  # fmt: skip
    assert names.is_related("a", "c")
    assert not names.is_related("a", "d")


def test_joined_group_of_a_known_id_adds_its_alternates():
    names = Names((AliasGroup(actor_id="x", preferred="X"),)).joined([AliasGroup(actor_id="x", preferred="The Xs")])
    assert names.resolve("the xs") == "x"
    assert names.preferred("x") == "X"


@given(st.text(max_size=40))
def test_normalise_is_settled_after_once(text):
    assert normalise_name(normalise_name(text)) in (normalise_name(text), normalise_name(text).removeprefix("the "))
