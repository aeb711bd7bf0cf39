"""A column map is stated in full or refused; a header is recognised to the letter or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin.errors import Place, ReportError
from tocsin.tracks.formats.columns import BUILT_IN, FIELDS, Column, load_columns, recognise
from tocsin.tracks.report import COLUMNS

PLACE = Place("tracks.csv", 1)
MINIMAL = "id=who,time=when,lat=y,lon=x"


def test_fields_are_the_report_columns() -> None:
    assert tuple(FIELDS.values()) == COLUMNS


def test_one_line_and_yaml_state_the_same(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text(
        "id: MMSI\ntime: BaseDateTime\nlat: LAT\nlon: LON\nsog: 'SOG[kn]'\nprefix: mmsi\nzone: UTC\n"
    )
    inline = load_columns("id=MMSI,time=BaseDateTime,lat=LAT,lon=LON,sog=SOG[kn],prefix=mmsi,zone=UTC")
    from_file = load_columns(tmp_path / "map.yaml")
    assert inline.columns == from_file.columns
    assert (inline.prefix, inline.zone) == (from_file.prefix, from_file.zone)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id=a,time=b,lat=c", "found no column for lon"),
        (MINIMAL + ",speed=v", "found speed, expected one of id, time"),
        (MINIMAL + ",sog=v", "found sog=v without a unit, expected a unit, such as sog=v"),
        (MINIMAL + ",sog=v[ft]", "found unit ft of sog, expected one of m/s"),
        (MINIMAL + ",alt=h", "found alt=h without a unit"),
        (MINIMAL + ",lat=z", "found a word twice"),
        (MINIMAL + ",zone=MSK", "found zone MSK, expected an IANA zone"),
        (MINIMAL + ",prefix=imo", "found prefix imo, expected one of mmsi"),
        (MINIMAL + ",format=dd/mm", "found format dd/mm"),
        (MINIMAL + ",absent=9999", "found absent 9999"),
        ("id=,time=b,lat=c,lon=d", "expected the name of a column"),
        ("harbour", "expected columns as id=…"),
        ("missing.yaml", "no readable YAML"),
    ],
)
def test_a_map_with_a_fault_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ReportError) as caught:
        load_columns(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "document", ["- a\n- b", "lat: {deep: 1}", "lat: 5", "a: &a [*a]", "!!python/name:os.system x"]
)
def test_a_yaml_file_that_is_no_map_is_refused(tmp_path: Path, document: str) -> None:
    (tmp_path / "map.yaml").write_text(document)
    with pytest.raises(ReportError):
        load_columns(tmp_path / "map.yaml")


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_header_of_a_built_in_map_is_recognised_as_it(name: str) -> None:
    assert recognise([c.name for c in BUILT_IN[name].columns.values()], PLACE).name == name


def test_a_header_in_another_spelling_is_not_recognised() -> None:
    with pytest.raises(ReportError, match="found columns 'Lat', 'Lon', 'MMSI', 'Time', expected a stated column map"):
        recognise(["MMSI", "Time", "Lat", "Lon"], PLACE)


def test_a_header_that_fits_two_maps_is_not_recognised() -> None:
    names = [c.name for name in ("tocsin", "marinecadastre") for c in BUILT_IN[name].columns.values()]
    with pytest.raises(ReportError, match="which fit tocsin and marinecadastre"):
        recognise(names, PLACE)


def test_own_columns_may_end_in_another_unit() -> None:
    rules = recognise(["track_id", "observed", "lat_deg", "lon_deg", "speed_kmh", "alt_ft"], PLACE)
    assert rules.columns["sog"] == Column(name="speed_kmh", unit="km/h")
    assert rules.columns["alt"] == Column(name="alt_ft", unit="ft")


def test_a_stated_column_that_the_file_lacks_is_refused_and_a_built_in_one_is_not() -> None:
    with pytest.raises(ReportError, match="found no column 'SOG' \\(for sog\\) among 'who'"):
        load_columns(MINIMAL + ",sog=SOG[kn]").resolve(["who", "when", "y", "x"], PLACE)
    assert set(BUILT_IN["tocsin"].resolve(["track_id", "observed", "lat_deg", "lon_deg"], PLACE)) == {
        "id",
        "time",
        "lat",
        "lon",
    }


def test_a_column_twice_is_refused() -> None:
    with pytest.raises(ReportError, match="found column 'y' 2 times, expected it once"):
        load_columns(MINIMAL).resolve(["who", "when", "y", "x", "y"], PLACE)
