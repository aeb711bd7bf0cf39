"""A sea with a hundred round zones, traffic that keeps clear of them, and vessels that enter one at a known moment.

Made from a seed: the same seed gives the same zones, tracks and entries. Times are offsets from the start of a run, so
that the lines can be written before it and sent when they are due.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pyproj import Geod

GEOD = Geod(ellps="WGS84")
ZONES = 100
SOUTH, NORTH, WEST, EAST = 48.0, 61.0, -12.0, 22.0
DEGREE_M = 111_194.93
EVERY_S = 2.0
"""Seconds between two reports of one track."""

SPEED_MPS = 10.0
"""Of a vessel that enters a zone: 20 m between two reports, the edge half-way between them."""

CLEAR_M = 3_000.0
"""How far other traffic keeps from any zone, and zones from each other, beyond what an entering vessel needs."""

FIRST_ENTRY_S = 3.0
"""No vessel enters earlier: a run begins with everybody seen once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Who sails where, for one run.

    Attributes
    ----------
    lat_deg, lon_deg, radius_m : ndarray, shape (zones,)
    tracks : ndarray of str
        Identities; the first `len(enters_s)` of them enter a zone.
    enters_s : ndarray
        When each of those sends its first report from inside.
    due_s : ndarray, shape (n,)
        When each report is due, in order.
    track : ndarray, shape (n,), int
    lat, lon, speed_mps, course_deg : ndarray, shape (n,)
    """

    lat_deg: np.ndarray
    lon_deg: np.ndarray
    radius_m: np.ndarray
    tracks: np.ndarray
    enters_s: np.ndarray
    due_s: np.ndarray
    track: np.ndarray
    lat: np.ndarray
    lon: np.ndarray
    speed_mps: np.ndarray
    course_deg: np.ndarray


def zones(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return centres and radii of zones that lie well apart."""
    found: list[tuple[float, float, float]] = []
    while len(found) < ZONES:
        lat, lon = rng.uniform(SOUTH + 1, NORTH - 1), rng.uniform(WEST + 1, EAST - 1)
        radius = float(np.exp(rng.uniform(np.log(1_000), np.log(20_000))))
        if all(GEOD.inv(lon, lat, b, a)[2] > radius + r + 4 * CLEAR_M for a, b, r in found):
            found.append((lat, lon, radius))
    lat_deg, lon_deg, radius_m = np.array(found).T
    return lat_deg, lon_deg, radius_m


def make(*, rate: int, seconds: float, entries: int, seed: int) -> Scene:
    """Return a scene of so many reports a second, of which so many vessels enter a zone in the whole run."""
    rng = np.random.default_rng(seed)
    lat_deg, lon_deg, radius_m = zones(rng)
    tracks = round(rate * EVERY_S)
    steps = int(np.ceil(seconds / EVERY_S))
    first_s = rng.uniform(0, EVERY_S, tracks)
    at_s = first_s[:, None] + EVERY_S * np.arange(steps)
    lat, lon, speed, course = _clear(rng, tracks, at_s, (lat_deg, lon_deg, radius_m))
    # Those that enter: straight to the middle of a zone, from 10 m outside to 10 m inside at one step.
    earliest = int(np.ceil(FIRST_ENTRY_S / EVERY_S))
    step = rng.integers(earliest, max(earliest + 1, steps - 3), entries)
    zone, azimuth = rng.integers(0, ZONES, entries), rng.uniform(0, 360, entries)
    away = radius_m[zone][:, None] + SPEED_MPS * EVERY_S * (step[:, None] - np.arange(steps)) - 10.0
    shape = away.shape
    spread = (np.broadcast_to(a[:, None], shape) for a in (lon_deg[zone], lat_deg[zone], azimuth))
    x, y, _ = GEOD.fwd(*spread, away)
    lon[:entries], lat[:entries] = x, y
    speed[:entries], course[:entries] = SPEED_MPS, (azimuth + 180) % 360
    order = np.argsort(at_s, axis=None, kind="stable")
    order = order[at_s.ravel()[order] < seconds]
    who = order // steps
    return Scene(
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        radius_m=radius_m,
        tracks=np.array([f"{211_000_000 + n}" for n in range(tracks)]),
        enters_s=at_s[np.arange(entries), step],
        due_s=at_s.ravel()[order],
        track=who,
        lat=np.round(lat.ravel()[order], 7),
        lon=np.round(lon.ravel()[order], 7),
        speed_mps=np.round(speed[who], 1),
        course_deg=np.round(course[who], 1),
    )


def _clear(
    rng: np.random.Generator, tracks: int, at_s: np.ndarray, zone: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, ...]:
    """Return straight ways that keep clear of every zone: ships, and a quarter as fast as aircraft."""
    lat, lon = np.empty_like(at_s), np.empty_like(at_s)
    speed, course = np.empty(tracks), np.empty(tracks)
    left = np.arange(tracks)
    while len(left):
        n = len(left)
        v = np.where(rng.random(n) < 0.25, rng.uniform(60, 250, n), rng.uniform(2, 15, n))
        to = rng.uniform(0, 360, n)
        a, b = rng.uniform(SOUTH, NORTH, n), rng.uniform(WEST, EAST, n)
        way = v[:, None] * at_s[left] / DEGREE_M
        y = a[:, None] + way * np.cos(np.radians(to))[:, None]
        x = b[:, None] + way * (np.sin(np.radians(to)) / np.cos(np.radians(a)))[:, None]
        far = np.ones(n, bool)
        for lat_deg, lon_deg, radius_m in zip(*zone, strict=True):
            scale = np.cos(np.radians(lat_deg))
            u, w = (x[:, 0] - lon_deg) * scale, y[:, 0] - lat_deg
            du, dw = (x[:, -1] - x[:, 0]) * scale, y[:, -1] - y[:, 0]
            s = np.clip(-(u * du + w * dw) / np.maximum(du * du + dw * dw, 1e-12), 0, 1)
            far &= np.hypot(u + s * du, w + s * dw) * DEGREE_M > radius_m * 1.02 + CLEAR_M
        rows = left[far]
        lat[rows], lon[rows], speed[rows], course[rows] = y[far], x[far], v[far], to[far]
        left = left[~far]
    return lat, lon, speed, course


def write_agreement(path: Path, scene: Scene) -> None:
    """Write the agreement: every zone has its level, and whoever enters one is told at once, with a duty officer."""
    ring = (
        "{{id: z{n}, kind: protection, applies_to: all, "
        "geometry: {{circle: {{centre: {{lat_deg: {lat}, lon_deg: {lon}}}, radius: {r} m}}}}}}"
    )
    rung = (
        "{{level: {level}, trigger: {{event: entry, zone: z{n}}}, tell: [vessel, watch], channels: [radio, desk], "
        "text: T1, ack_within: PT30M}}"
    )
    placed = zip(scene.lat_deg, scene.lon_deg, scene.radius_m, strict=True)
    drawn = [ring.format(n=n, lat=round(a, 6), lon=round(b, 6), r=round(r, 1)) for n, (a, b, r) in enumerate(placed)]
    rungs = [rung.format(level=n + 1, n=n) for n in range(ZONES)]
    lines = [
        "format: tocsin-agreement/1",
        "id: load",
        "version: 1",
        "title: a hundred zones, for measuring",
        "clock: {zone: UTC, canonical: UTC}",
        "languages: {authentic: [en], warning_texts: [en]}",
        "parties:",
        "  - {id: watch, name: the watch}",
        "  - {id: traffic, name: all vessels, kind: non_party}",
        "zones:",
        *(f"  - {one}" for one in drawn),
        "channels:",
        "  - {id: radio, kind: vhf, to: [vessel], ack: voice}",
        "  - {id: desk, kind: webhook, to: [watch], ack: machine}",
        "ladder:",
        *(f"  - {one}" for one in rungs),
        "end_of_ladder: {who: duty_officer}",
        "texts: {T1: You are in a protected zone.}",
    ]
    path.write_text("\n".join(lines) + "\n")
