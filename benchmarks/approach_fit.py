"""Fit the forecast's coefficients to recorded tracks: `python benchmarks/approach_fit.py FOLDER -o fit.json`.

Every look that the watch would take at half 0 of the tracks of `approach_data.SETS`, at zones laid by another seed than
the benchmark's, is one question: does this track enter this zone within the time? The coefficients (`forecast.Spread`)
are those of the greatest likelihood, each set and look-ahead counting alike, drawn a little towards those in use, by
damped Gauss-Newton steps from them. The loss on half 1 is told beside, and is not looked at. No randomness but
a fixed seed: the same tracks give the same file. Thresholds, and what is said of a chance, are not fitted here.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from approach_data import SETS, half_of, lay_zones, read_set
from approach_methods import Feed, Rows, compiled, feed_of, leg_velocity

from tocsin.clock import US_PER_S
from tocsin.kernels.forecast.forecast import (
    RAYS,
    SPREAD,
    Spread,
    course_ahead_deg,
    entry_chance,
    look_around,
    outlook,
    reach_m,
    weigh_ways,
)
from tocsin.kernels.forecast.motion import MOTION, carry_s, forget_motion, learn_motion
from tocsin.kernels.forecast.vigil import PATIENCE, ask_every_s
from tocsin.kernels.numbers.trig import hypot
from tocsin.kernels.tables import NEVER
from tocsin.kernels.zones.atlas import AtlasArrays
from tocsin.watch.rehearse.truth import Truth, find_truth

ZONES_SEED = 7
ROOM = 2_048
SHARES = (0.7, 1.0)
"""Times asked about, as shares of the look-ahead with its patience: soon, and all of it."""

QUESTIONS = 1_500
"""Questions of one set, look-ahead and time at most."""

STEPS, TOWARDS, DIFFERENCE = 8, 2e-4, 1e-3
"""Steps at most; pull towards the coefficients in use, in losses a unit squared; step of a numeric derivative."""


class Questions(NamedTuple):
    """n questions: the motion, the ways to the zone, the look-ahead with its patience, the time, what came, weight."""

    motion: Rows
    way_m: Rows
    horizon_s: Rows
    within_s: Rows
    came: Rows
    weight: Rows


@compiled
def look(atlas: AtlasArrays, feed: Feed, horizon_s: float, ask_us: int) -> tuple[Rows, Rows, Rows, Rows]:
    """Return (fix, zone, motion, ways) of every zone in the fan, at every fix at which a forecast would be asked."""
    rows, m = np.zeros(1, MOTION), 0
    fix, of_zone, motion = np.zeros(4_096, np.int64), np.zeros(4_096, np.int64), np.zeros(4_096, MOTION)
    way, row = np.zeros((4_096, RAYS), np.float32), rows[0]
    edge_zone, edge_s, zones, way_m = (
        np.zeros(ROOM, np.int32),
        np.zeros(ROOM),
        np.zeros(ROOM, np.int32),
        np.zeros((ROOM, RAYS)),
    )
    fan_of = np.zeros(atlas.zones, np.int32)
    for i in range(len(feed.at_us)):
        dt_s, east, north = 0.0, 0.0, 0.0
        if i > 0 and feed.track[i] == feed.track[i - 1]:
            dt_s = (feed.at_us[i] - feed.at_us[i - 1]) / 1e6
            east, north = leg_velocity(feed, i)
        else:
            forget_motion(row)
        learn_motion(row, dt_s, east, north, feed.east[i], feed.north[i])
        if math.isnan(row.east_mps) or (row.asked_us != NEVER and feed.at_us[i] - row.asked_us < ask_us):
            continue
        row.asked_us = feed.at_us[i]
        reach = reach_m(row, hypot(row.east_mps, row.north_mps), horizon_s, carry_s(row))
        if not reach > 0.0:
            continue
        course = course_ahead_deg(row)
        n = look_around(atlas, feed.lat[i], feed.lon[i], course, reach, edge_zone, edge_s, fan_of, zones, way_m)
        if n > ROOM:
            continue
        while m + n > len(fix):
            fix, of_zone = np.concatenate((fix, fix)), np.concatenate((of_zone, of_zone))
            motion, way = np.concatenate((motion, motion)), np.concatenate((way, way))
        for z in range(n):
            fix[m], of_zone[m], motion[m] = i, zones[z], row
            for ray in range(RAYS):
                way[m, ray] = way_m[z, ray]
            m += 1
    return fix[:m], of_zone[:m], motion[:m], way[:m]


@compiled
def logits(asked: Questions, spread: Spread, out: Rows) -> None:
    """Write the log odds that the forecast gives to each question."""
    ways, way_m = np.zeros((RAYS, 3)), np.zeros(RAYS)
    for q in range(len(out)):
        view = outlook(asked.motion[q], spread, asked.horizon_s[q])
        for ray in range(RAYS):
            way_m[ray] = asked.way_m[q, ray]
        n = weigh_ways(way_m, view, spread, ways)
        chance = entry_chance(ways, n, view, asked.within_s[q])
        out[q] = math.log(chance / (1.0 - chance))


def answers(truth: Truth, feed: Feed, fix: Rows, zone: Rows, within_s: float) -> Rows:
    """Return 1 where the track entered within the time, 0 where not, -1 where nobody knows or it was not at risk."""
    out = np.full(len(fix), -1)
    risks = {key: rows for key, rows in _by_pair(truth.risks)}
    entries = {key: rows["at_us"] for key, rows in _by_pair(truth.entries)}
    for q, (i, z) in enumerate(zip(fix.tolist(), zone.tolist(), strict=True)):
        at_us, until_us = int(feed.at_us[i]), int(feed.at_us[i]) + round(within_s * US_PER_S)
        segment = truth.fixes.segment_at(int(feed.track[i]), at_us)
        if segment < 0:
            continue
        key = (segment, z)
        spells = risks.get(key)
        if key in truth.touched:
            if spells is None or not ((spells["from_us"] <= at_us) & (at_us <= spells["to_us"])).any():
                continue
            later = entries.get(key, np.zeros(0, np.int64))
            later = later[later > at_us]
            if len(later) and later[0] <= until_us:
                out[q] = 1
                continue
        if truth.fixes.segment_us[segment, 1] >= until_us:
            out[q] = 0
    return out


def _by_pair(rows: Rows) -> list[tuple[tuple[int, int], Rows]]:
    """Return rows by (segment, zone); they are sorted so."""
    if not len(rows):
        return []
    new = np.flatnonzero(np.diff(rows["segment"], prepend=-1) | np.diff(rows["zone"], prepend=-1))
    parts = np.split(rows, new[1:])
    return [((int(part["segment"][0]), int(part["zone"][0])), part) for part in parts]


def questions(truth: Truth, feed: Feed, horizons_s: Sequence[int], tracks: Rows, most: int = QUESTIONS) -> Questions:
    """Return the questions of one set about some of its tracks, drawn by a fixed seed."""
    random, parts = np.random.default_rng(1), []
    for horizon_s in horizons_s:
        ask_us = round(ask_every_s(float(horizon_s)) * US_PER_S)
        fix, zone, motion, way_m = look(truth.atlas.arrays, feed, PATIENCE * horizon_s, ask_us)
        own = np.flatnonzero(tracks[feed.track[fix]])
        for share in SHARES:
            drawn = np.sort(random.choice(own, min(len(own), most), replace=False)) if len(own) else own
            within_s = share * PATIENCE * horizon_s
            came = answers(truth, feed, fix[drawn], zone[drawn], within_s)
            drawn, came = drawn[came >= 0], came[came >= 0]
            n = len(drawn)
            parts.append(
                Questions(motion[drawn], way_m[drawn], np.full(n, PATIENCE * horizon_s), np.full(n, within_s),
                          came.astype(np.float64), np.full(n, 1.0 / max(n, 1)))
            )  # fmt: skip
    return joined(parts)


def joined(parts: Sequence[Questions]) -> Questions:
    """Return all questions in one."""
    return Questions(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def loss(asked: Questions, spread: Spread) -> float:
    """Return the mean logarithmic loss of a forecast."""
    out = np.zeros(len(asked.came))
    logits(asked, spread, out)
    return float((asked.weight * np.logaddexp(0.0, np.where(asked.came > 0.5, -out, out))).sum() / asked.weight.sum())


def fitted(asked: Questions, start: Spread = SPREAD, steps: int = STEPS) -> Spread:
    """Return the coefficients of the greatest likelihood, drawn a little towards those at the start.

    Parameters
    ----------
    asked : Questions
    start : Spread
    steps : int
        Gauss-Newton steps at most; each is halved until the loss falls, and the first that cannot is the last.
    """
    theta, home = np.array(start, np.float64), np.array(start, np.float64)
    weight, out = asked.weight / asked.weight.sum(), np.zeros(len(asked.came))

    def goal(at: Rows) -> float:
        return loss(asked, Spread(*at.tolist())) + TOWARDS * float(((at - home) ** 2).sum())

    for _ in range(steps):
        logits(asked, Spread(*theta.tolist()), out)
        here, slopes = out.copy(), np.zeros((len(out), len(theta)))
        for k in range(len(theta)):
            moved = theta.copy()
            moved[k] += DIFFERENCE
            logits(asked, Spread(*moved.tolist()), out)
            slopes[:, k] = (out - here) / DIFFERENCE
        chance = 1.0 / (1.0 + np.exp(-here))
        gradient = slopes.T @ (weight * (chance - asked.came)) + 2.0 * TOWARDS * (theta - home)
        curve = (slopes * (weight * chance * (1.0 - chance))[:, None]).T @ slopes
        step = np.linalg.solve(curve + 2.0 * TOWARDS * np.eye(len(theta)), gradient)
        before, size = goal(theta), 1.0
        while size > 0.01 and goal(theta - size * step) >= before:
            size *= 0.5
        if size <= 0.01:
            break
        theta = theta - size * step
    return Spread(*np.round(theta, 3).tolist())


def main() -> None:
    """Fit, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of Parquet files of tracks")
    parser.add_argument("--out", "-o", type=Path, required=True, help="the file to write")
    parser.add_argument("--sets", nargs="*", choices=list(SETS), help="all but those split by day, if not given")
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    asked = parser.parse_args()
    parts: dict[int, list[Questions]] = {0: [], 1: []}
    digest = hashlib.sha256()
    for name in asked.sets or [n for n, one in SETS.items() if not one.by_day]:
        one = SETS[name]
        for file in one.files:
            digest.update((asked.folder / f"{file}.parquet").read_bytes())
        batch = read_set(asked.folder, one)
        truth = find_truth(batch, lay_zones(batch, one, ZONES_SEED), one.terms)
        feed, half = feed_of(batch, truth.fixes), half_of(batch.tracks)
        for side, found in parts.items():
            found.append(questions(truth, feed, one.horizons_s, half == side, asked.questions))
    learnt, other = joined(parts[0]), joined(parts[1])
    spread = fitted(learnt)
    told = {
        "tracks_sha256": digest.hexdigest(),
        "questions": len(learnt.came),
        "loss": {"in_use": [round(loss(q, SPREAD), 5) for q in (learnt, other)],
                 "fitted": [round(loss(q, spread), 5) for q in (learnt, other)]},
        "spread": spread._asdict(),
    }  # fmt: skip
    asked.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told["loss"]))


if __name__ == "__main__":
    main()
