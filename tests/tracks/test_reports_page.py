"""docs/format/reports.md says what the code does: every list on the page is the code's list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tocsin.tracks import archive
from tocsin.tracks.category import WIDER, Category
from tocsin.tracks.formats import assemble, csv, gpx, nmea, parquet, stream
from tocsin.tracks.formats.ais import BITS
from tocsin.tracks.formats.columns import BUILT_IN, FIELDS, OPTIONS, UNITS, load_columns
from tocsin.tracks.quality import EXPECTED_REASONS, FLAG_MEANING, MEANING
from tocsin.tracks.report import SCHEMA

PAGE = (Path(__file__).parents[2] / "docs" / "format" / "reports.md").read_text()


def rows(header: str) -> list[list[str]]:
    """Return the cells of the table on the page whose header line begins so."""
    lines = PAGE[PAGE.index(header) :].split("\n")
    body = lines[2 : next(k for k, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in body]


def test_the_columns_are_those_of_the_schema_in_order() -> None:
    types = {"string": "text", "timestamp[us, tz=UTC]": "timestamp µs UTC", "double": "float64", "float": "float32"}
    assert [row[:2] for row in rows("| column | type")] == [[f"`{f.name}`", types[str(f.type)]] for f in SCHEMA]


def test_the_reasons_and_flags_are_those_of_the_code_word_for_word() -> None:
    faults = {reason: "no" if reason in EXPECTED_REASONS else "yes" for reason in MEANING}
    assert rows("| reason | meaning") == [[f"`{r}`", text, faults[r]] for r, text in MEANING.items()]
    assert rows("| flag | meaning") == [[f"`{f}`", text] for f, text in FLAG_MEANING.items()]


def test_the_formats_are_those_that_are_read() -> None:
    assert [row[0] for row in rows("| format | a record")] == [f"`{f}`" for f in archive.Format]


def test_the_words_units_and_options_of_a_map_are_those_of_the_code() -> None:
    table = rows("| word | fills")
    assert [row[:2] for row in table] == [[f"`{word}`", f"`{column}`"] for word, column in FIELDS.items()]
    for word, units in UNITS.items():
        if word != "category":
            (cell,) = [row[2] for row in table if row[0] == f"`{word}`"]
            assert re.findall(r"`([^`]+)`", cell) == list(units)
    assert [row[0] for row in rows("| option | meaning")] == [f"`{option}`" for option in OPTIONS]


def test_the_built_in_maps_are_those_of_the_code() -> None:
    table = rows("| map | for")
    assert [row[0].strip("`") for row in table] == list(BUILT_IN)
    for name, _, text in table:
        stated = load_columns(text.strip("`"))
        known = BUILT_IN[name.strip("`")]
        assert (stated.columns, stated.prefix, stated.zone, stated.format, stated.absent) == (
            known.columns,
            known.prefix,
            known.zone,
            known.format,
            known.absent,
        )


def test_the_maps_shown_are_maps(tmp_path: Path) -> None:
    inline = re.search(r"^    (id=.*)$", PAGE, re.MULTILINE)
    block = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert inline
    assert block
    (tmp_path / "map.yaml").write_text(block[1])
    assert load_columns(inline[1]).columns == load_columns(tmp_path / "map.yaml").columns


def test_the_kinds_of_mover_are_those_of_the_code() -> None:
    table = {row[0].strip("`"): {word.strip("`") for word in row[1].split(", ")} for row in rows("| wider | kinds")}
    lone = set(Category) - set(WIDER) - {kind for kinds in WIDER.values() for kind in kinds}
    assert table == {
        **{str(wide): {str(k) for k in kinds} for wide, kinds in WIDER.items()},
        "": {str(k) for k in lone},
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("16 GiB", stream.MAX_BYTES / 2**30),
        ("128 MiB", stream.MAX_DOCUMENT_BYTES / 2**20),
        ("64 MiB", stream.RATIO_FROM / 2**20),
        ("200 times", stream.MAX_RATIO),
        ("8 MiB", stream.MAX_LINE_BYTES / 2**20),
        ("64 KiB", stream.HEAD_BYTES / 2**10),
        ("1,000; the header", csv.MAX_COLUMNS),
        ("500,000,000", parquet.MAX_ROWS),
        ("500,000,000", archive.MAX_REPORTS),
        ("64 elements", gpx.MAX_DEPTH),
        ("65,536 bytes", gpx.MAX_TOKEN_BYTES),
        ("256, no further", assemble.MAX_WAITING),
        ("2,000 lines", assemble.MAX_LINES_APART),
        ("1,000 lines", nmea.CLOCK_LINES),
    ],
)
def test_the_limits_are_those_of_the_code(text: str, value: float) -> None:
    assert text in PAGE
    assert f"{value:,.0f}" in text


def test_the_message_types_are_those_that_are_decoded() -> None:
    listed = re.search(r"Messages ([\d, ]+) and (\d+)\n\(ITU-R", PAGE)
    assert listed
    positions = {int(n) for n in f"{listed[1]}, {listed[2]}".split(", ")}
    assert positions | {5, 24} == set(BITS)
