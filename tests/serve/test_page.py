"""The page as text: what it must hold, what it must never hold, and that nothing is dropped without a word."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace
from tests.common import ZOO
from tests.serve.story import TAIL, spoilt, story
from tests.warn.stories import event

from tocsin.serve.report import Provenance, Report, Terms, render_report, tables, write_report
from tocsin.tracks.quality import Counts
from tocsin.watch.event import EventKind

VOID = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """Every tag with its attributes, the text outside style and script, and whether tags pair."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.unpaired: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.unpaired.append(tag)

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def html() -> str:
    return render_report(story())


@pytest.fixture(scope="module")
def page(html) -> Page:
    return Page(html)


def test_page_same_report_gives_the_same_bytes(html, tmp_path):
    write_report(story(), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == html.encode()


def test_page_tags_pair(page):
    assert page.unpaired == []
    assert set(page.open) <= {"li", "p"}


def test_page_asks_for_nothing_outside_itself(page):
    allowed = re.compile(r"#|data:,")
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "srcset", "poster", "data", "xlink:href"):
            assert name not in attributes or allowed.match(attributes[name]), (tag, attributes)
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)


def test_page_policy_allows_its_own_style_and_script_by_hash_and_nothing_else(page, html):
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for tag in ("style", "script"):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert "unsafe" not in policy


def test_page_says_what_acknowledged_means_and_whether_it_was_observed(page):
    assert "Acknowledged never means permitted." in page.text
    assert "Simulated: nothing here was observed." in page.text
    recorded = Page(render_report(story(provenance=Provenance.RECORDED)))
    assert "nothing here was observed" not in recorded.text


def test_page_holds_no_word_of_leave_or_blame(page):
    found = re.findall(
        r"\b(approved|cleared|granted|authori[sz]ed|violat\w*|breach\w*|culprit|guilty|target(?!_)s?)\b",
        page.text,
        re.I,
    )
    assert found == []


def test_page_shows_every_attempt_and_answer_of_a_case(page):
    case = story().cases[0]
    marks = [a for a in page.all("g") if (a.get("class") or "").split()[:1] == ["m"]]
    assert len(marks) == len(case.attempts) + len(case.acknowledgements) + len(case.events)
    assert f"Every attempt ({len(case.attempts)}) and every answer ({len(case.acknowledgements)})" in page.text


def test_page_shows_every_event_zone_and_track(page):
    told = story()
    assert [a["id"] for a in page.all("tr") if a.get("id", "").startswith("e")] == [
        "e0",
        "e1",
        "e2",
        "e5",
        "e6",
        "e3",
        "e4",
    ]
    assert {a["data-z"] for a in page.all("path") if "data-z" in a} == {"0", "1", "2"}
    assert {a["data-t"] for a in page.all("g") if "data-t" in a and "t " in a["class"]} == {"0", "1", "2", "3"}
    for zone in told.zones:
        assert zone.name in page.text


def test_page_counts_add_up_and_reasons_are_given(page):
    assert "400" in page.text and "390" in page.text
    assert "bad_latitude" in page.text and "the latitude is outside -90 to 90" in page.text


def test_page_gives_the_root_and_the_command(page):
    assert "ab" * 32 in page.text
    assert "tocsin verify record" in page.text


def test_page_matrix_marks_contradictions_and_calls_nobody_right(page):
    clashes = [a for a in page.all("a") if (a.get("class") or "") == "clash"]
    ids = {a["id"] for a in page.all("li") if "id" in a}
    assert clashes and all(a["href"].removeprefix("#") in ids for a in clashes)
    assert "undetermined:" in page.text
    assert "taken back by the source itself in c6" in page.text


def test_page_links_lead_somewhere(page):
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link["href"].removeprefix("#") in ids


def test_page_hostile_text_stays_text():
    html = render_report(spoilt())
    page = Page(html)
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    assert page.unpaired == []
    assert not any(c in html for c in "\u202e\u2066\u0007\U000e0041")
    assert "⟨U+202E⟩⟨U+2066⟩⟨U+0007⟩⟨U+E0041⟩" in html
    assert "{{7*7}}" in page.text and "49" not in re.findall(r"</style>(\d+)", page.text)
    assert html.count(TAIL[:20]) == 0
    test_page_asks_for_nothing_outside_itself(page)


def test_page_very_long_text_is_cut_and_says_so():
    page = Page(render_report(story(provenance_note="x" * 5_000)))
    assert "(3,000 characters cut)" in page.text


@pytest.mark.parametrize("name", sorted(ZOO))
def test_page_of_awkward_reports_alone_is_drawn(name):
    page = Page(render_report(Report(
        terms=Terms(agreement_id="a", version=1, title="T", digest=bytes(32)), provenance=Provenance.RECORDED,
        reports=ZOO[name],
    )))  # fmt: skip
    assert "No case was opened" in page.text
    assert not any("nan" in (a.get("d") or "").lower() or "inf" in (a.get("d") or "").lower() for a in page.all("path"))


def test_page_more_events_than_rows_are_counted_not_dropped_silently(monkeypatch):
    monkeypatch.setattr(tables, "MAX_EVENT_ROWS", 3)
    page = Page(render_report(story()))
    assert "The table holds the first 3 events of 7" in page.text
    assert "The other 4 are in events.jsonl" in page.text


def test_page_more_cases_than_charts_are_all_in_the_table(monkeypatch):
    case = story().cases[0]
    monkeypatch.setattr(tables, "MAX_CASE_CHARTS", 2)
    cases = tuple(replace(case, case_id=f"k{n}") for n in range(5))
    page = Page(render_report(story(cases=cases)))
    assert len([a for a in page.all("svg") if a.get("class") == "timeline"]) == 2
    assert page.text.count("yes") >= 5
    assert "gravest cases are drawn below; all are in the table" in page.text


def test_page_without_events_says_that_this_proves_nothing():
    page = Page(render_report(story(events=(), cases=())))
    assert "That is no proof that nothing happened" in page.text


def test_page_withdrawn_event_says_so():
    from tocsin.watch.event import Revision

    page = Page(
        render_report(story(events=(event(EventKind.ENTRY, revision=Revision.WITHDRAWN, lat_deg=57.1),), cases=()))
    )
    assert "withdrawn" in page.text


def test_page_several_files_have_a_sum():
    page = Page(render_report(story(counts={"a": Counts(read=2, accepted=2), "b": Counts(read=3, accepted=1, late=2)})))
    (row,) = [a for a in page.all("tr") if a.get("class") == "sum"]
    assert row is not None
    assert re.search(r"all ?5 ?3 ?0 ?2 ?0", page.text.replace("\n", " "))
