"""Drift: how far a drawn feature moved from one version to the next, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.agreement.terms.places import Feature
from tocsin.geo.measure import inverse

COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
"""Eight winds, clockwise from north."""


def drift_of(before: Feature, after: Feature) -> str:
    """Return how a feature's drawing changed: moved whole, moved at some vertices, or drawn anew."""
    old, new = _positions(before.coordinates), _positions(after.coordinates)
    if before.kind != after.kind or len(old) != len(new):
        return f"drawn anew, {len(old)} positions then and {len(new)} now"
    distance, azimuth = inverse(old[:, 1], old[:, 0], new[:, 1], new[:, 0])
    moved = distance > 0
    most = int(np.argmax(distance))
    way = f"{distance[most]:,.1f} m to the {COMPASS[round(float(azimuth[most]) / 45) % 8]}"
    if before.kind == "Point" or (moved.all() and np.ptp(distance) < 0.01 * distance.max()):
        return f"moved {way}"
    return f"{int(moved.sum())} of {len(old)} positions moved, at most {way}"


def _positions(coordinates: Any) -> NDArray[np.float64]:
    """Return every position of GeoJSON coordinates as rows of longitude and latitude."""
    flat: list[list[float]] = []
    todo = [coordinates]
    while todo:
        member = todo.pop()
        if isinstance(member[0], list):
            todo += reversed(member)
        else:
            flat.append(member[:2])
    return np.array(flat, dtype=np.float64)
