"""A plane about a place, for lengths and areas near it: azimuthal equidistant, as PROJ lays it out.

PROJ is loaded when the first plane is asked for: a station that measures nothing on one starts sooner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproj import Transformer


def plane_about(lat_deg: float, lon_deg: float) -> Transformer:
    """Return what turns longitudes and latitudes, in this order, into metres east and north of a place.

    Parameters
    ----------
    lat_deg, lon_deg : float, degrees WGS84
        The plane's middle; true to length along every line through it.
    """
    from pyproj import Transformer

    return Transformer.from_crs("EPSG:4326", f"+proj=aeqd +lat_0={lat_deg} +lon_0={lon_deg}", always_xy=True)
