"""The slow twin of conformance: a notified track looked at every second, by the plainest reading of the page."""

from __future__ import annotations

from itertools import pairwise

from geographiclib.geodesic import Geodesic

EARTH = Geodesic.WGS84


def seconds_outside(route, half_width_m, fixes, window):
    """Return how many whole seconds of a window a track is further from a route than its half width.

    `route` is two positions, `fixes` are (second, lat, lon) of which the first and last are on the route, `window` is
    (from, to) in seconds.
    """
    outside = 0
    for (t0, lat0, lon0), (t1, lat1, lon1) in pairwise(fixes):
        way = EARTH.InverseLine(lat0, lon0, lat1, lon1)
        for second in range(int(t0), int(t1)):
            if window[0] <= second < window[1]:
                at = way.Position(way.s13 * (second - t0) / (t1 - t0))
                outside += distance_m(route, at["lat2"], at["lon2"]) > half_width_m
    return outside


def distance_m(route, lat, lon):
    """Return the distance from a place to a geodesic, by cutting it in three again and again."""
    (lat0, lon0), (lat1, lon1) = route
    line = EARTH.InverseLine(lat0, lon0, lat1, lon1)
    low, high = 0.0, line.s13

    def at(s):
        there = line.Position(s)
        return EARTH.Inverse(lat, lon, there["lat2"], there["lon2"])["s12"]

    while high - low > 0.01:
        one, two = low + (high - low) / 3, high - (high - low) / 3
        if at(one) < at(two):
            high = two
        else:
            low = one
    return at((low + high) / 2)
