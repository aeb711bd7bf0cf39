"""docs/format/claims.md says what the code does: its example loads, its words are all the words."""

import re
from pathlib import Path

from tocsin.incident.act import ACT_CODES
from tocsin.incident.claim import Attribution, Certainty, Handing, Role, SourceKind, TimeBasis
from tocsin.incident.compare import compare
from tocsin.incident.contradict import ConflictType
from tocsin.incident.load import parse_claims

PAGE = (Path(__file__).parents[2] / "docs" / "format" / "claims.md").read_text(encoding="utf-8")


def test_page_example_loads_and_contradicts_as_it_says():
    text = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    book = parse_claims(text.encode(), file="claims.md")
    (incident,) = book.incidents
    got = compare(incident, book.claims, sources=book.sources, names=book.names)
    assert [c.type for c in got.contradictions] == [ConflictType.OCCURRENCE]


def test_page_has_every_word_of_every_list():
    for words in (SourceKind, Attribution, Certainty, Handing, Role, ConflictType, set(TimeBasis) - {TimeBasis.NONE}):
        assert [w for w in words if f"`{w}`" not in PAGE] == []


def test_page_acts_are_the_acts():
    rows = [
        f"| `{act}` | {c.gloss} | {' '.join(x for x in (c.plover, c.mode) if x)} | {c.acled or ''} |"
        for act, c in ACT_CODES.items()
    ]
    assert PAGE.split("<!-- acts:")[1].splitlines()[3:] == rows
