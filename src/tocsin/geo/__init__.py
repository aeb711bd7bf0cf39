"""Geo: places on the WGS84 ellipsoid. Antimeridian, poles and edges are settled here, once."""
