"""Every check has its page, a fixture in which it speaks and one in which it does not."""

import re
from pathlib import Path

import pytest
import yaml

from tocsin.agreement.findings.history import HISTORY
from tocsin.agreement.findings.why import WHY
from tocsin.agreement.lint import lint
from tocsin.agreement.load import load
from tocsin.agreement.rules import CHECKS, GROUPS
from tocsin.agreement.rules.check import Severity

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "findings"
FIXTURES = ROOT / "tests" / "data" / "agreements" / "findings"
WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFORMATION: "information"}


def said(code: str, kind: str) -> set[str]:
    agreement = load(FIXTURES / f"{code}-{kind}.yaml")
    assert code == "FMT-01" or not agreement.unknown
    return {f.code for f in lint(agreement)}


@pytest.mark.parametrize("code", CHECKS)
def test_check_speaks_in_its_bad_fixture_and_not_in_its_good_one(code: str):
    assert code in said(code, "bad")
    assert code not in said(code, "good")


@pytest.mark.parametrize("code", CHECKS)
def test_page_says_what_the_check_is(code: str):
    check, page = CHECKS[code], (PAGES / f"{code}.md").read_text()
    flowed = " ".join(page.split())
    assert page.startswith(f"# {code}: {check.title}\n")
    assert f"Severity: **{WORDS[check.severity]}**. Group: {GROUPS[code[:3]]}." in flowed
    assert all(f"`{key}`" in page for key in check.keys)
    assert ("does not apply under `armed: false`" in flowed) is check.armed_only
    assert f"```yaml\n{check.fix}\n```" in page
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == ["## Why", "## From history", "## How to set it"]
    assert yaml.safe_load(check.fix)


def test_why_and_history_are_the_words_of_the_page():
    for code in CHECKS:
        _, why, history, _ = re.split(r"^## .*$", (PAGES / f"{code}.md").read_text(), flags=re.MULTILINE)
        assert WHY[code] == " ".join(why.split())
        assert HISTORY[code] == " ".join(history.split())
    assert list(WHY) == list(HISTORY) == list(CHECKS)


def test_history_names_its_source_or_says_that_it_was_not_read_again():
    for code, told in HISTORY.items():
        assert re.search(r"\(.*\)|example agreement|read for this list|press", told), code


def test_no_page_or_fixture_is_left_over():
    assert {p.stem for p in PAGES.glob("*.md")} - {"README"} == set(CHECKS)
    assert {p.stem for p in FIXTURES.glob("*.yaml")} == {
        f"{code}-{kind}" for code in CHECKS for kind in ("good", "bad")
    }


def test_index_lists_every_check_in_order():
    index = (PAGES / "README.md").read_text()
    rows = [f"| [{c.code}]({c.code}.md) | {WORDS[c.severity]} | {c.title} |" for c in CHECKS.values()]
    assert [line for line in index.splitlines() if line.startswith("| [")] == rows
