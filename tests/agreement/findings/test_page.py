"""The readiness page: what a stranger reads on it, and that nothing of the agreement runs in it."""

import re
from html.parser import HTMLParser
from pathlib import Path

from tocsin.agreement.findings.page import BECAUSE, readiness_page
from tocsin.agreement.findings.readiness import BLOCKERS
from tocsin.agreement.lint import lint
from tocsin.agreement.load import load, parse

DATA = Path(__file__).parents[2] / "data" / "agreements"


class Words(HTMLParser):
    """Gathers text, tags and what is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: set[str] = set()
        self.fetched: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched += [
            v or "" for k, v in attrs if k in ("src", "href", "action", "data") and not (v or "").startswith("#")
        ]
        self.ids += [v or "" for k, v in attrs if k == "id"]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(name: str) -> Words:
    agreement = load(DATA / f"{name}.yaml")
    words = Words()
    words.feed(readiness_page(agreement, lint(agreement)))
    return words


def test_ring_says_why_it_could_be_watched_and_not_warned():
    words = page("at-tanf-2017")
    text = " ".join(" ".join(words.text).split())
    assert "It can be watched" in text and "People cannot be warned by it" in text
    assert "could not properly warn anybody" in text
    assert "a step that begins on somebody's movement never reaches that somebody" in text
    assert "approach at ring russia deconfliction_line no not set not set" in text
    assert re.search(
        r"27 of 34 mechanisms without which an agreement cannot be run are open, and \d+ of 46 others: ", text
    )
    assert "Russian Federation: whether it consents is disputed" in text
    assert "ring: stand-off zone, 55 km around garrison" in text
    assert "approach at ring" in text and "(seen as: entry at ring)" in text
    assert len(words.ids) == len(set(words.ids))


def test_an_agreed_width_is_told_to_the_metre():
    text = " ".join(" ".join(page("northreach-cable").text).split())
    assert "guard: protection zone, 1.852 km to each side of cable" in text


def test_what_is_not_set_is_said_in_words_too():
    agreement = parse(
        "format: tocsin-agreement/1\nid: a\nparties:\n  - {id: b}\n  - {id: c, consent: {state: via, by: b}}\n"
        "zones:\n  - {id: y, geometry: {circle: {centre: {lat_deg: 1, lon_deg: 2}, radius: about 5 km}}}\n"
        "  - {id: z, kind: warning, geometry: {corridor: not_set}}\n"
    )
    text = re.sub(r"<[^>]*>|\s+", " ", readiness_page(agreement, lint(agreement)))
    for words in (
        "b: its consent is not set", "c: bound through b", "y: about 5 km around latitude 1, longitude 2",
        "z: warning zone, its shape is not set",
    ):  # fmt: skip
        assert words in " ".join(text.split())


def test_unknown_key_is_no_open_mechanism():
    counts = []
    for more in ("", "odd: 1\n"):
        agreement = parse(f"format: tocsin-agreement/1\nid: a\n{more}")
        told = " ".join(readiness_page(agreement, lint(agreement)).split())
        counts.append(re.findall(r"\d+ of \d+ (?:mechanisms|others)|\d+ notes", told))
    (known, unknown) = counts
    assert known[:2] == unknown[:2] and known[2] != unknown[2]


def test_page_fetches_nothing_and_runs_nothing():
    for name in ("at-tanf-2017", "northreach-cable"):
        words = page(name)
        assert not words.fetched and not words.tags & {"script", "iframe", "img", "link", "object"}


def test_text_of_the_agreement_is_escaped():
    agreement = parse('format: tocsin-agreement/1\nid: a\ntitle: "<script>alert(1)</script>"\nodd: "<b>"\n')
    told = readiness_page(agreement, lint(agreement))
    assert "<script>" not in told and "&lt;script&gt;" in told


def test_every_blocker_has_its_reason_in_words():
    assert {code for codes in BLOCKERS.values() for code in codes} == set(BECAUSE)
