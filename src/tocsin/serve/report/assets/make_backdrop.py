"""Make `backdrop.json.gz`: land, borders and disputed lines from two Natural Earth files.

    python make_backdrop.py ne_50m_countries.geojson ne_10m_disputed_areas.geojson

Borders are what two countries share, so a line is drawn once. Where it runs along or inside a disputed area it goes to
the disputed lines, with what else bounds such an area on land. No name is kept. README.md says where the two files come
from.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

HERE = Path(__file__).parent
SIMPLIFY_DEG = 0.004
"""Largest departure from the source's line: 450 m, below what a map of 1:50 million knows."""
STEPS_PER_DEG = 1000
"""Positions are whole thousandths of a degree, each as its difference from the one before."""
SEAM_DEG = 1e-6
NEAR_DISPUTE_DEG = 0.08
NEAR_COAST_DEG = 0.1
ON_LAND = {"Disputed", "Breakaway", "Indeterminate", "Overlay", "Geo unit"}
"""Types of Natural Earth's areas whose lines are drawn as disputed."""


def main() -> None:
    """Read the two files named on the command line and write the one beside this script."""
    countries, disputes = (json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:3])
    shapes = [shapely.make_valid(shape(f["geometry"])) for f in countries["features"]]
    land = shapely.union_all([shapely.buffer(s, 0) for s in shapes])
    edges = shapely.union_all([s.boundary for s in shapes])
    borders = shapely.difference(shapely.difference(edges, shapely.buffer(land.boundary, 0.002)), seam())
    areas = [
        shapely.make_valid(shape(f["geometry"]))
        for f in disputes["features"] if f["properties"]["type"] in ON_LAND
    ]  # fmt: skip
    near = shapely.union_all([shapely.buffer(a, NEAR_DISPUTE_DEG) for a in areas])
    settled, in_dispute = shapely.difference(borders, near), shapely.intersection(borders, near)
    known = shapely.union_all(
        [shapely.buffer(borders, NEAR_DISPUTE_DEG), shapely.buffer(land.boundary, NEAR_COAST_DEG)]
    )
    outlines = shapely.difference(shapely.union_all([a.boundary for a in areas]), known)
    outlines = shapely.intersection(outlines, land)
    disputed = shapely.union_all([in_dispute, outlines])
    written = {
        "source": "Natural Earth 1:50m countries and 1:10m disputed areas, public domain",
        "steps_per_deg": STEPS_PER_DEG,
        "land": [deltas(ring) for part in shapely.get_parts(land) for ring in (part.exterior, *part.interiors)],
        "borders": [deltas(line) for line in lines(settled)],
        "disputed": [deltas(line) for line in lines(disputed)],
    }
    written = {k: [x for x in v if x] if isinstance(v, list) else v for k, v in written.items()}
    text = json.dumps(written, separators=(",", ":")).encode()
    (HERE / "backdrop.json.gz").write_bytes(gzip.compress(text, 9, mtime=0))
    print({k: len(v) for k, v in written.items() if isinstance(v, list)}, len(text), "bytes")


def seam() -> Any:
    """Return the lines at which the source cuts the world: 180° and the south pole."""
    return shapely.union_all(
        [
            shapely.box(-181, -91, -180 + 1e-3, 91),
            shapely.box(180 - 1e-3, -91, 181, 91),
            shapely.box(-181, -91, 181, -90 + 1e-3),
        ]
    )


def lines(geometry: Any) -> list[Any]:
    """Return the lines of a geometry, joined end to end; crumbs left out."""
    merged = shapely.line_merge(geometry) if not shapely.is_empty(geometry) else geometry
    return [part for part in shapely.get_parts(merged) if part.length > 0.01]


def deltas(line: Any) -> list[int]:
    """Return longitude and latitude of each position as steps from the one before, the first from 0°."""
    xy = shapely.get_coordinates(shapely.simplify(line, SIMPLIFY_DEG))
    steps = np.round(xy * STEPS_PER_DEG).astype(int)
    moved = np.diff(steps, axis=0, prepend=np.zeros((1, 2), int))
    keep = np.any(moved != 0, axis=1)
    keep[0] = True
    return [] if keep.sum() < 2 else moved[keep].ravel().tolist()


if __name__ == "__main__":
    main()
