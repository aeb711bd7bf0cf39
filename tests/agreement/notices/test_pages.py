"""The pages against the code: every example reads, every word is there, the pictures are drawn from the tables."""

import re
from pathlib import Path

import pytest
from tests.agreement.notices.given import CABLE, rules

from tocsin.agreement.load import load
from tocsin.agreement.notices import receipts, standing
from tocsin.agreement.notices.budget import F3548
from tocsin.agreement.notices.formats import cells, entry, objects
from tocsin.agreement.notices.formats.read import MAX_FILE_BYTES, parse_notices
from tocsin.agreement.notices.register import follow
from tocsin.agreement.notices.standing import Standing
from tocsin.agreement.notices.words import Act, Checked, Disposition, FactKind, Flag, Receipt
from tocsin.agreement.versions.signatures import check_version, parse_signed, sign, verify
from tocsin.watch.excursion import ExcursionKind, Over

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "format" / "notice.md").read_text()
GUIDE = (DOCS / "guide" / "notices.md").read_text()
VERSION = (DOCS / "format" / "version.md").read_text()


def block(page, language):
    found = re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1].encode()


def test_the_examples_are_read_and_followed():
    found = parse_notices(block(PAGE, "yaml"), name="a.yaml")
    assert not found.refused and found.read == 8
    register = follow(rules(), found.items, until_us=found.items[-1].at_us)
    assert [(name, held.standing) for name, held in register.held.items()] == [
        ("fishers/F-12", Standing.REPLACED),
        ("fishers/S-1", Standing.STANDING),
        ("fishers/F-12b", Standing.OVER),
    ]
    (row,) = parse_notices(block(PAGE, "csv"), name="a.csv").items
    assert (row.notice_id, row.place) == ("fishers/F-12", found.items[0].place)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (PAGE, [*Act, *Flag, *Disposition, *FactKind, *Receipt, *Checked, *receipts.LineState, *standing.Standing]),
        (PAGE, sorted(cells.COLUMNS)),
        (GUIDE, [Over.NOT_RECOVERED, ExcursionKind.BEFORE_WINDOW, ExcursionKind.AFTER_WINDOW]),
    ],
)
def test_every_word_stands_on_its_page(page, words):
    told = set(re.findall(r"[A-Za-z_]+", page))
    assert not [word for word in words if word not in told]


@pytest.mark.parametrize(("name", "module"), [("receipts", receipts), ("standing", standing)])
def test_the_pictures_are_drawn_from_the_tables(name, module):
    drawn = re.search(rf"<!-- generated: {name} -->\n(.*?)\n<!-- end -->", PAGE, re.DOTALL)
    assert drawn and drawn[1] == f"```mermaid\n{module.picture()}\n```"


def test_the_limits_are_those_of_the_code():
    assert f"{MAX_FILE_BYTES >> 20} MiB and {entry.MAX_ENTRIES:,} entries" in PAGE
    assert f"{objects.MAX_POSITIONS:,} positions and {objects.MAX_MOVERS:,} movers" in PAGE
    assert f"at most {F3548.single_s:.0f} s" in GUIDE and f"at most {F3548.per_hour} that" in GUIDE
    assert f"{F3548.inside_share:.0%}".replace("%", " %") in GUIDE and f"within {F3548.recover_s:.0f} s" in GUIDE


def test_clauses_are_numbered_without_a_gap():
    for page in (PAGE, VERSION):
        numbers = [int(n) for n in re.findall(r"^(\d+)\. ", page, re.MULTILINE)]
        assert numbers == list(range(1, len(numbers) + 1))


def test_the_signature_on_the_page_is_of_the_cable_agreement():
    signed = parse_signed(block(VERSION, "json"), file="page")
    check_version(signed, load(CABLE))
    verify(signed, keys={"authority": sign(signed.statement, bytes([1]) * 32).key})
