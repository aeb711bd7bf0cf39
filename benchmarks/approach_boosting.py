"""Gradient boosting with route features: what a practised analyst would train, as a baseline for remembered routes.

scikit-learn's HistGradientBoostingClassifier on what is known at a fix of one track and one zone: the motion, how the
zone lies to it, and what earlier passages nearby did. Trained on half 0 of the tracks with the label that is judged (an
entry within 1.1 look-aheads and one reporting interval); its threshold is the one of the best F1 there. It warns at
fixes, k of n with hysteresis as the filtered baseline does, and knows no clock between fixes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from approach_methods import Feed, Rows, compiled, leg_velocity, warnings_of

from tocsin.kernels.forecast.forecast import FAN_DEG, RAYS, course_ahead_deg, look_around, reach_m, speed_ahead_mps
from tocsin.kernels.forecast.motion import MOTION, carry_s, forget_motion, learn_motion, share_seen
from tocsin.kernels.forecast.routes import PASSAGE, PASSAGES, Routes, look_along
from tocsin.kernels.forecast.vigil import PATIENCE, ask_every_s
from tocsin.kernels.numbers.trig import atan2d, hypot, sincosd
from tocsin.kernels.tables import NEVER
from tocsin.kernels.zones.atlas import AtlasArrays
from tocsin.watch.rehearse.judge import Class, Judged, Warnings, judge
from tocsin.watch.rehearse.score import figures
from tocsin.watch.rehearse.truth import Truth

ROOM = 2_048
FEATURES = 20
BEYOND = 1e6
"""Stands for a zone that no way meets, among times in look-aheads; only the order counts."""
MISSES, HOLD = 3, 0.5
"""A warning holds until the chance has been below this share of the threshold at so many looks in a row."""

THRESHOLDS = (0.2, 0.3, 0.4, 0.5)
LOOKS = ((1, 1), (2, 3))
"""k of n."""

TRAINED_ON = 40_000
"""Looks that are drawn to train on."""


class Looks(NamedTuple):
    """What was known of zones ahead, one row a fix and zone."""

    fix: Rows
    zone: Rows
    known: Rows


@compiled
def _off_deg(row: Rows, k: int, course_deg: float) -> float:
    off = (atan2d(row.mean_east_mps[k], row.mean_north_mps[k]) - course_deg) % 360.0
    return off - 360.0 if off > 180.0 else off


@compiled
def look(atlas: AtlasArrays, routes: Routes, feed: Feed, horizon_s: float) -> tuple[Rows, Rows, Rows]:
    """Return (fix, zone, features) at every fix at which the forecast would be asked, of every zone in its reach."""
    rows, passages = np.zeros(1, MOTION), np.zeros(PASSAGES, PASSAGE)
    fix, of_zone, known, m = np.zeros(4_096, np.int64), np.zeros(4_096, np.int64), np.zeros((4_096, FEATURES)), 0
    edge_zone, edge_s, zones = np.zeros(ROOM, np.int32), np.zeros(ROOM), np.zeros(ROOM, np.int32)
    way_m, route_m, row = np.zeros((ROOM, RAYS)), np.zeros((ROOM, PASSAGES)), rows[0]
    fan_of = np.zeros(atlas.zones, np.int32)
    ask_us = np.int64(ask_every_s(horizon_s) * 1e6)
    for i in range(len(feed.at_us)):
        follows, dt_s, east, north = i > 0 and feed.track[i] == feed.track[i - 1], 0.0, 0.0, 0.0
        if follows:
            dt_s = (feed.at_us[i] - feed.at_us[i - 1]) / 1e6
            east, north = leg_velocity(feed, i)
        else:
            forget_motion(row)
        learn_motion(row, dt_s, east, north, feed.east[i], feed.north[i])
        now = feed.at_us[i]
        if math.isnan(row.east_mps) or (row.asked_us != NEVER and now - row.asked_us < ask_us):
            continue
        row.asked_us = now
        now_mps = hypot(row.east_mps, row.north_mps)
        reach, speed, course = (
            reach_m(row, now_mps, PATIENCE * horizon_s, carry_s(row)),
            speed_ahead_mps(row, now_mps),
            course_ahead_deg(row),
        )
        if not reach > 0.0:
            continue
        lat, lon, (s, c) = feed.lat[i], feed.lon[i], sincosd(course)
        n = look_around(atlas, lat, lon, course, reach, edge_zone, edge_s, fan_of, zones, way_m)
        n = look_along(
            atlas, routes, lat, lon, speed * s, speed * c, now, reach, PATIENCE * horizon_s, edge_zone, edge_s, n,
            zones, way_m, route_m, passages,
        )  # fmt: skip
        if n > ROOM:
            continue
        while m + n > len(fix):
            fix, of_zone = np.concatenate((fix, fix)), np.concatenate((of_zone, of_zone))
            known = np.concatenate((known, known))
        for z in range(n):
            fix[m], of_zone[m] = i, zones[z]
            _features(row, speed, course, way_m[z], route_m[z], passages, horizon_s, known[m])
            m += 1
    return fix[:m], of_zone[:m], known[:m]


@compiled
def _features(row: Rows, speed: float, course: float, way_m: Rows, route_m: Rows, passages: Rows, horizon_s: float,
              out: Rows) -> None:  # fmt: skip
    """Write what is known of one zone at one fix."""
    nearest, at, hit, ahead = math.inf, 0, 0.0, math.inf
    for ray in range(RAYS):
        if way_m[ray] < nearest:
            nearest, at = way_m[ray], ray
        hit += way_m[ray] < math.inf
        if abs(FAN_DEG[ray]) <= 9.0:
            ahead = min(ahead, way_m[ray])
    out[0], out[1] = way_m[RAYS // 2] / speed / horizon_s, nearest / speed / horizon_s
    out[2], out[3], out[4], out[5] = ahead / speed / horizon_s, abs(FAN_DEG[at]), hit, speed
    out[6], out[7], out[8] = row.interval_s, row.leg_s > 0.0, row.seen_s
    for k in range(3):
        whole = max(row.mean_speed_mps[k], 1e-3)
        out[9 + k] = 1.0 - hypot(row.mean_east_mps[k], row.mean_north_mps[k]) / whole
        out[12 + k] = abs(_off_deg(row, k, course))
    out[15] = row.mean_speed_mps[2] / max(share_seen(row, 2), 1e-3) / speed
    came, soon, count, first = 0.0, 0.0, 0.0, math.inf
    for k in range(PASSAGES):
        if passages[k].score == math.inf:
            break
        count += 1.0
        came += route_m[k] < math.inf
        soon += route_m[k] / speed <= PATIENCE * horizon_s
        first = min(first, route_m[k] / speed / horizon_s)
    out[16], out[17], out[19] = count, soon / count if count else math.nan, first
    out[18] = came / count if count else math.nan
    for j in range(FEATURES):
        if out[j] == math.inf:  # scikit-learn cuts its bins between values, and there is no middle to infinity
            out[j] = BEYOND


@compiled
def _warn(feed: Feed, fix: Rows, zone: Rows, chance: Rows, zones: int, threshold: float, k: int, n: int) -> Rows:
    """Return rows (track, zone, at, chance, nan, nan): k of n looks above the threshold, then silence."""
    out, m, past = np.full((len(fix), 6), np.nan), 0, np.zeros(zones, np.int64)
    on, missed, looked = np.zeros(zones, np.bool_), np.zeros(zones, np.int64), np.full(zones, -1)
    for r in range(len(fix)):
        z, i = zone[r], fix[r]
        if looked[z] < 0 or feed.track[looked[z]] != feed.track[i]:
            past[z], on[z], missed[z] = 0, False, 0
        looked[z] = i
        past[z] = (past[z] << 1 | (chance[r] >= threshold)) & ((1 << n) - 1)
        count = 0
        for b in range(n):
            count += past[z] >> b & 1
        if on[z]:
            missed[z] = missed[z] + 1 if chance[r] < HOLD * threshold else 0
            on[z] = missed[z] < MISSES
        elif count >= k and past[z] & 1:
            out[m, 0], out[m, 1], out[m, 2], out[m, 3] = feed.track[i], z, feed.at_us[i], chance[r]
            on[z], missed[z], m = True, 0, m + 1
    return out[:m]


class Boosting:
    """One look-ahead, trained over all sets together."""

    def __init__(self, horizon_s: float) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier

        self.horizon_s = horizon_s
        self.model = HistGradientBoostingClassifier(
            max_iter=300, learning_rate=0.05, max_leaf_nodes=31, min_samples_leaf=40, random_state=1
        )
        self.setting = (0.4, 2, 3)

    def learn(self, stages: list[tuple[Truth, Feed, Looks, Rows]]) -> None:
        """Train on the tracks that are named, and choose the setting of the best mean F1 on them."""
        random = np.random.default_rng(1)
        known, came = [], []
        for truth, feed, looks, tracks in stages:
            own = np.flatnonzero(tracks[feed.track[looks.fix]])
            own = np.sort(random.choice(own, min(len(own), TRAINED_ON // len(stages)), replace=False))
            verdict = self._asked(truth, feed, looks, own)
            use = ~verdict.of(Class.CENSORED, Class.GRAZE, Class.IDLE)
            order = np.lexsort((feed.at_us[looks.fix[own]], looks.zone[own], feed.track[looks.fix[own]]))
            known.append(looks.known[own[order][use]])
            came.append(verdict.of(Class.RIGHT, Class.REPEAT)[use])
        self.model.fit(np.concatenate(known), np.concatenate(came))
        chances = [self.model.predict_proba(looks.known)[:, 1] for _, _, looks, _ in stages]

        def mean(setting: tuple[float, int, int]) -> float:
            return float(
                np.mean(
                    [
                        figures(judge(t, self._warnings(f, g, p, t, setting), self.horizon_s), times=half).f1
                        for (t, f, g, half), p in zip(stages, chances, strict=True)
                    ]
                )
            )

        self.setting = max(((t, k, n) for t in THRESHOLDS for k, n in LOOKS), key=mean)

    def _asked(self, truth: Truth, feed: Feed, looks: Looks, own: Rows) -> Judged:
        rows = np.full((len(own), 6), np.nan)
        rows[:, 0], rows[:, 1], rows[:, 2] = feed.track[looks.fix[own]], looks.zone[own], feed.at_us[looks.fix[own]]
        return judge(truth, warnings_of(rows, self.horizon_s), self.horizon_s)

    def _warnings(self, feed: Feed, looks: Looks, chance: Rows, truth: Truth, setting: tuple[float, int, int]
                  ) -> Warnings:  # fmt: skip
        rows = _warn(feed, looks.fix, looks.zone, chance, truth.atlas.arrays.zones, *setting)
        return warnings_of(rows, self.horizon_s)

    def warn(self, truth: Truth, feed: Feed, looks: Looks) -> Warnings:
        """Return what it warns of."""
        return self._warnings(feed, looks, self.model.predict_proba(looks.known)[:, 1], truth, self.setting)
