"""The zone atlas for kernels: all that may be asked of it (DESIGN §6).

Coordinates are plane longitude and latitude; every region has been cut at the antimeridian and settled at the
poles (`geo/shapes.py`). A region is closed: a place on its edge is inside.
"""

from tocsin.kernels.earth.legs import geodesic_point, split_count
from tocsin.kernels.zones.cells import AtlasArrays
from tocsin.kernels.zones.crossings import crossings_on, edges_met, way_crossings
from tocsin.kernels.zones.distance import boundary_distance_m
from tocsin.kernels.zones.first import first_edge
from tocsin.kernels.zones.near import zones_near
from tocsin.kernels.zones.places import clearance_m, free_box, locate, no_edge_between, zones_at

__all__ = [
    "AtlasArrays",
    "boundary_distance_m",
    "clearance_m",
    "crossings_on",
    "edges_met",
    "first_edge",
    "free_box",
    "geodesic_point",
    "locate",
    "no_edge_between",
    "split_count",
    "way_crossings",
    "zones_at",
    "zones_near",
]
