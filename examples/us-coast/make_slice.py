"""Cut the zones and the traffic of this example out of three public files.

    python make_slice.py TRACKS.parquet BOEM.geojson ENC.geojson

writes `zones.geojson` and `tracks.parquet` beside this script; README.md says where the three files come from.
A feature is taken by its place in its file and checked by its name; a changed source stops the script. Rows and
columns of the tracks stay as they are in the source, in the order of the source: only whole tracks are left out.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import shapely
from pyproj import Transformer
from shapely.geometry import mapping, shape

HERE = Path(__file__).parent
REACH_M = 40_000
"""A track stays, whole, if one of its rows lies this close to a chosen zone."""

LICENCE = "US public domain"
RESTRICTIONS = {
    "2": "anchoring restricted",
    "6": "trawling restricted",
    "7": "entry prohibited",
    "8": "entry restricted",
    "14": "area to be avoided",
    "24": "dragging prohibited",
}
"""The codes of the S-57 attribute RESTRN that occur here, in words (IHO S-57, appendix A, chapter 2)."""

BOEM = {
    "lease_0519": (17, "OCS-A 0519", "wind lease OCS-A 0519, off Delaware"),
    "lease_0520": (18, "OCS-A 0520", "wind lease OCS-A 0520, south of Nantucket"),
    "lease_0541": (25, "OCS-A 0541", "wind lease OCS-A 0541, New York Bight"),
    "lease_0497": (31, "OCS-A 0497", "wind research easement OCS-A 0497, off Virginia"),
    "lease_0508": (42, "OCS-A 0508", "wind lease OCS-A 0508, off North Carolina"),
    "lease_0558": (48, "OCS-A 0558", "wind lease OCS-A 0558, off Virginia"),
    "oahu_south": (53, "Hawaii Call Area - Oahu South", "wind call area Oahu South"),
    "charleston": (57, "South Carolina Call Area - Charleston", "wind call area Charleston"),
    "gulf_j": (63, "Gulf of America WEA Phase 2 Option J", "wind energy area, Gulf, option J"),
    "gulf_i": (67, "Gulf of America WEA Phase 1 Option I", "wind energy area, Gulf, option I"),
    "oregon_0566": (69, "Oregon PSN - OCS-P 0566", "wind lease area OCS-P 0566, off Oregon"),
}
"""Zone id: place in the BOEM file, the name it must have there, our name."""

ENC = {
    "port_security": ([200, 310], "Port of Miami, fixed security zone"),
    "causeway_island": ([312], "Causeway Island, restricted area"),
    "seaplanes": ([211, 326], "Miami Harbor, seaplane area"),
    "naval_2": ([112], "Key West Harbor, naval restricted area 2"),
    "naval_4": ([119], "Key West Harbor, naval restricted area 4"),
    "avoid_keys": ([6], "Florida Keys, area to be avoided"),
    "cable_cut": ([220, 304], "cables and pipelines, Government Cut"),
    "cable_fisher": ([221, 297], "cables and pipelines, Lummus Island to Fisher Island"),
    "cable_main": ([218], "cables, Miami Main Channel"),
    "cable_norris": ([223], "cables, off Norris Cut"),
    "cable_port": ([163], "cables, Port Bridge"),
    "cable_venetian": ([156], "cables, west of the Venetian Islands"),
    "cable_palm": ([224], "cables, Palm Island"),
    "cable_bay": ([157], "cables, Biscayne Bay north of the Rickenbacker Causeway"),
    "cable_virginia": ([154, 225], "cables, Biscayne Bay to Virginia Key"),
    "pipe_virginia": ([197, 305], "pipelines, Dodge Island to Virginia Key"),
    "pipe_norris": ([306], "pipelines, Norris Cut"),
}
"""Zone id: places in the ENC file (more than one where the chart cuts the area, or draws it twice), our name.

The chart names few of these areas; a name that is not in `chart_name` is this example's.
"""


def boem_features(collection: dict) -> list[dict]:
    """Return the wind areas, each under its zone id."""
    found = []
    for zone_id, (place, name, ours) in BOEM.items():
        source = collection["features"][place]
        said = source["properties"]
        if name not in (said.get("lease_number"), said.get("additional_information")):
            raise SystemExit(f"{zone_id}: feature {place} is {said}, expected {name!r}")
        area, note = usable(shape(source["geometry"]), zone_id)
        told = {"name": ours, "source_name": name, "stage": said["lease_stage"]}
        if "company" in said:
            told["holder"] = said["company"]
        found.append(feature(zone_id, area, told, note, said["source"], [f"feature {place}"]))
    return found


def enc_features(collection: dict) -> list[dict]:
    """Return the chart's areas; parts of one area that a chart's edge cuts are joined again."""
    found = []
    for zone_id, (places, ours) in ENC.items():
        sources = [collection["features"][place] for place in places]
        said = sources[0]["properties"]
        shapes = [shape(one["geometry"]) for one in sources]
        unlike = {one["properties"].get("RESTRN") for one in sources} | {
            one["properties"].get("INFORM") for one in sources
        }
        if len(unlike - {said.get("RESTRN"), said.get("INFORM")}) > 0:
            raise SystemExit(f"{zone_id}: features {places} do not say the same: {unlike}")
        if len(shapes) > 1 and all(one.equals(shapes[0]) for one in shapes[1:]):
            area, note = shapes[0], "the chart has this area twice, as cable area and as pipeline area; taken once"
        elif len(shapes) > 1:
            area = shapely.union_all(shapes)
            if area.geom_type != "Polygon" or abs(area.area - sum(one.area for one in shapes)) > 1e-12:
                raise SystemExit(f"{zone_id}: features {places} are not the parts of one area")
            note = "two chart cells hold a part each; joined at the cells' edge"
        else:
            area, note = shapes[0], None
        area, repair = usable(area, zone_id)
        told = {"name": ours, "meaning": said["meaning"], "surveyed_or_published": said["SORDAT"]}
        if "OBJNAM" in said:
            told["chart_name"] = said["OBJNAM"]
        if "RESTRN" in said:
            told["restrictions"] = [RESTRICTIONS[code] for code in said["RESTRN"].split(",")]
        if "INFORM" in said:
            told["regulation"] = said["INFORM"]
        names = [
            f"feature {k}, cell {one['properties']['cell']}, LNAM {one['properties']['LNAM']}"
            for k, one in zip(places, sources, strict=True)
        ]
        found.append(feature(zone_id, area, told, note or repair, said["source"], names))
    return found


def usable(area: shapely.Geometry, zone_id: str) -> tuple[shapely.Geometry, str | None]:
    """Return the area, valid; a ring that only touches itself is cut at that point, anything worse is refused."""
    if area.is_valid:
        return area, None
    where = shapely.is_valid_reason(area)
    cut = shapely.make_valid(area)
    if cut.geom_type not in ("Polygon", "MultiPolygon") or abs(cut.area - area.area) > 1e-12:
        raise SystemExit(f"{zone_id}: {where}")
    return cut, f"invalid in the source ({where}): the ring touches itself at one point; cut there, same area"


def feature(zone_id: str, area: shapely.Geometry, told: dict, note: str | None, source: str, names: list[str]) -> dict:
    """Return one GeoJSON feature with its source and licence."""
    properties = {**told, "source": source, "source_features": names, "licence": LICENCE}
    if note:
        properties["edited"] = note
    turned = shapely.orient_polygons(area)
    return {"type": "Feature", "id": zone_id, "properties": properties, "geometry": mapping(turned)}


def near(lon: np.ndarray, lat: np.ndarray, area: shapely.Geometry) -> np.ndarray:
    """Return which points lie within `REACH_M` of the area, on a plane that touches the Earth at its middle."""
    middle = area.centroid
    plane = Transformer.from_crs(
        "EPSG:4326", f"+proj=aeqd +lat_0={middle.y} +lon_0={middle.x} +datum=WGS84", always_xy=True
    )
    close = (np.abs(lat - middle.y) < 3) & (np.abs(lon - middle.x) < 4)
    x, y = plane.transform(lon[close], lat[close])
    on_plane = shapely.transform(area, lambda xy: np.column_stack(plane.transform(xy[:, 0], xy[:, 1])))
    close[close] = shapely.dwithin(on_plane, shapely.points(x, y), REACH_M)
    return close


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tracks", "boem", "enc"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    zones = boem_features(json.loads(given.boem.read_text())) + enc_features(json.loads(given.enc.read_text()))
    lines = ",\n".join(json.dumps(zone, ensure_ascii=False) for zone in zones)
    (HERE / "zones.geojson").write_text(f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n')

    table = pq.read_table(given.tracks)
    lon, lat = table["lon"].to_numpy(), table["lat"].to_numpy()
    wanted = np.zeros(len(table), dtype=bool)
    for zone in zones:
        wanted |= near(lon, lat, shape(zone["geometry"]))
    track = np.array(table["track_id"].to_pylist())
    kept = table.filter(np.isin(track, track[wanted]))
    pq.write_table(kept, HERE / "tracks.parquet", compression="zstd")
    print(
        f"{len(zones)} zones; {len(kept)} of {len(table)} rows, {len(set(track[wanted]))} of {len(set(track))} tracks"
    )


if __name__ == "__main__":
    main()
