"""Text that lies to the eye."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from tocsin.serve.report.text import MAX_TEXT, finalize, plural, visible


@pytest.mark.parametrize("text", ["مكتب المراقبة", "Ат-Танф", "می\u200cرود", "क्\u200dष", "a\tb\nc", "Zoë – 55 km"])
def test_visible_writing_of_any_script_stays(text):
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"), ("\u2067x", "⟨U+2067⟩x"), ("a\u200cb", "a⟨U+200C⟩b"), ("\u200dx", "⟨U+200D⟩x"),
        ("a\x00", "a⟨U+0000⟩"), ("a\u2028b", "a⟨U+2028⟩b"), ("\ud800", "⟨U+D800⟩"), ("\U000e0041", "⟨U+E0041⟩"),
    ],
)  # fmt: skip
def test_visible_mark_that_hides_or_turns_is_shown_as_its_code(text, shown):
    assert visible(text) == shown


@given(st.text(max_size=200))
def test_visible_can_be_written_as_utf8_and_is_settled_after_once(text):
    shown = visible(text)
    shown.encode("utf-8")
    assert visible(shown) == shown


def test_visible_is_bounded():
    assert len(visible("x" * 10**6)) < MAX_TEXT + 60


def test_finalize_leaves_markup_and_numbers_and_prints_none_as_nothing():
    assert finalize(Markup("<b>\u202e</b>")) == "<b>\u202e</b>"
    assert (finalize(5), finalize(None)) == (5, "")


def test_plural_of_one_and_many():
    assert [plural(n, "case") for n in (0, 1, 1_200)] == ["0 cases", "1 case", "1,200 cases"]
