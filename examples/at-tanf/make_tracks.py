"""Make the SIMULATED traffic of this example: `python make_tracks.py` writes tracks.csv beside this script.

Nothing here was observed. Every mover, time and place is invented for teaching; the road is drawn near the real
highway and is not surveyed. The same seed gives the same file: positions along WGS84 geodesics, a report every
30 s (120 s when parked), 15 m of noise, and the faults that feeds have: rows twice, rows late, rows out of order,
and two rows that cannot be read.
"""

import csv
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from pyproj import Geod

HERE = Path(__file__).parent
SEED = 20170518
DAY = datetime(2017, 5, 18, tzinfo=UTC)
EARTH = Geod(ellps="WGS84")
FEED = "simulated"

HIGHWAY = [
    (33.800, 37.330), (33.775, 37.470), (33.745, 37.640), (33.712, 37.820), (33.672, 37.990), (33.630, 38.150),
    (33.590, 38.320), (33.548, 38.480), (33.515, 38.595), (33.490, 38.700), (33.455, 38.830), (33.425, 38.930),
]  # fmt: skip
"""The highway, west to east, invented near the real one: latitude, longitude. The ring's edge is near km 69."""

REPORT_EVERY_S = 30.0
PARKED_EVERY_S = 120.0
ACCURACY_M = 15.0
"""Radius that holds the true position 95 times in 100; for a round normal error that is 2.45 sigma."""
SIGMA_M = ACCURACY_M / 2.4477
DUPLICATE_SHARE = 0.004
DELAYED_SHARE = 0.01
CSV_COLUMNS = (
    "track_id", "observed", "received", "lat_deg", "lon_deg", "alt_m", "speed_kmh", "course_deg", "accuracy_m",
    "feed", "party", "category",
)  # fmt: skip


@dataclass
class Mover:
    """One simulated mover: where it is at every knot, and when it says nothing."""

    name: str
    category: str
    party: str = ""
    knots: list[tuple[float, float, float, float]] = field(default_factory=list)
    """Seconds of the day, latitude, longitude, altitude in metres; between two knots it goes straight and evenly."""
    silences: list[tuple[float, float]] = field(default_factory=list)

    def start(self, clock: str, place: tuple[float, float], alt_m: float = np.nan) -> "Mover":
        self.knots.append((seconds(clock), *place, alt_m))
        return self

    def to(self, place: tuple[float, float], speed_kmh: float, alt_m: float | None = None) -> "Mover":
        """Go straight to a place."""
        t_s, lat, lon, alt = self.knots[-1]
        way_m = EARTH.inv(lon, lat, place[1], place[0])[2]
        self.knots.append((t_s + way_m / (speed_kmh / 3.6), *place, alt if alt_m is None else alt_m))
        return self

    def drive(self, from_km: float, to_km: float, speed_kmh: float) -> "Mover":
        """Go along the highway, with a knot at each of its bends."""
        bends = BENDS_KM[(min(from_km, to_km) < BENDS_KM) & (max(from_km, to_km) > BENDS_KM)]
        for km in [*(bends if to_km > from_km else bends[::-1]), to_km]:
            self.to(highway(km), speed_kmh)
        return self

    def wait(self, until: str | None = None, minutes: float = 0.0) -> "Mover":
        t_s, *rest = self.knots[-1]
        self.knots.append((seconds(until) if until else t_s + 60.0 * minutes, *rest))
        if self.knots[-1][0] < t_s:
            raise ValueError(f"{self.name} arrives at {t_s / 3600:.2f} h, after {until}")
        return self

    def silent(self, since: str, until: str) -> "Mover":
        self.silences.append((seconds(since), seconds(until)))
        return self


def seconds(clock: str) -> float:
    """Return the second of the day of "HH:MM", UTC."""
    hours, minutes = clock.split(":")
    return 3600.0 * int(hours) + 60.0 * float(minutes)


def _bends() -> np.ndarray:
    lat, lon = np.array(HIGHWAY).T
    return np.concatenate([[0.0], np.cumsum(EARTH.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2])]) / 1000.0


BENDS_KM = _bends()


def highway(km: float) -> tuple[float, float]:
    """Return the place on the highway this far from its western end."""
    k = min(int(np.searchsorted(BENDS_KM, km, side="right")), len(HIGHWAY) - 1)
    (lat0, lon0), (lat1, lon1) = HIGHWAY[k - 1], HIGHWAY[k]
    bearing = EARTH.inv(lon0, lat0, lon1, lat1)[0]
    lon, lat, _ = EARTH.fwd(lon0, lat0, bearing, 1000.0 * (km - BENDS_KM[k - 1]))
    return lat, lon


def convoy() -> list[Mover]:
    """A scout that probes, four more that follow, three that stay inside with it, one that turns round."""
    scout = Mover("convoy-1", "vehicle").start("04:30", highway(30)).drive(30, 66.5, 45).wait(minutes=2)
    scout.drive(66.5, 58, 40).wait(minutes=4).drive(58, 67.0, 40).wait(minutes=1)
    scout.drive(67.0, 59, 40).wait(minutes=3).drive(59, 67.5, 40).wait(minutes=2).drive(67.5, 57, 40)
    movers = [scout]
    for k in (2, 3, 4, 5):
        gap_km = 0.12 * (k - 1)
        movers.append(Mover(f"convoy-{k}", "vehicle").start("05:40", highway(15 - gap_km)))
        movers[-1].drive(15 - gap_km, 57 - gap_km, 40)
    for k, mover in enumerate(movers):
        back_km = 0.12 * k
        mover.wait(until="07:10")
        if k == 4:
            mover.drive(57 - back_km, 72 - back_km, 35).wait(minutes=4).drive(72 - back_km, 12, 45)
            continue
        post = (33.605 + 0.0006 * k, 38.318 + 0.0009 * k)
        mover.drive(57 - back_km, 94.5 - back_km, 35).to(post, 15).wait(until=f"12:{40 + k}")
        mover.to(highway(94.5 - back_km), 15).drive(94.5 - back_km, 20, 45)
    return movers


def notified() -> list[Mover]:
    """An aid convoy to Rukban and trucks on the highway: movements of which notice was given."""
    aid = []
    for k in (1, 2):
        start_km = 5 - 0.15 * k
        mover = Mover(f"aid-{k}", "truck", "aid_cell").start("03:00", highway(start_km)).drive(start_km, 118, 50)
        mover.to((33.420, 38.660), 35).to((33.330, 38.690 + 0.001 * k), 30).wait(until="09:30")
        mover.to((33.420, 38.660), 30).to(highway(118), 35).drive(118, start_km, 50)
        aid.append(mover)
    east, west = 2.0, 154.0
    trucks = [
        Mover("truck-1", "truck", "road_users").start("03:40", highway(east)).drive(east, west, 65),
        Mover("truck-2", "truck", "road_users").start("05:15", highway(west)).drive(west, east, 60),
        Mover("truck-3", "truck", "road_users").start("08:00", highway(east)).drive(east, west, 70),
        Mover("truck-4", "truck", "road_users").start("10:30", highway(west)).drive(west, 128, 55).wait(minutes=20)
        .drive(128, east, 62),
    ]  # fmt: skip
    return aid + trucks


def others() -> list[Mover]:
    """A patrol of an exempt party, two pick-ups that nobody knows, and a drone."""
    movers = []
    for k in (1, 2):
        patrol = Mover(f"patrol-{k}", "vehicle", "partner_forces").start(f"06:0{k}", (33.506, 38.618))
        patrol.to((33.700, 38.750), 45).to((33.850, 38.650), 45).to((34.050, 38.600), 45).wait(minutes=20)
        movers.append(patrol.to((33.850, 38.650), 45).to((33.506, 38.618), 50))
    herder = Mover("pickup-1", "vehicle").start("04:00", (33.890, 38.120))
    for k in range(9):
        turn = np.radians(137.5 * k)
        herder.to((33.880 + 0.010 * np.cos(turn), 38.130 + 0.012 * np.sin(turn)), 4).wait(minutes=3)
    stranger = Mover("pickup-2", "vehicle").start("07:30", (33.850, 39.200)).to((33.620, 38.950), 32)
    stranger.wait(minutes=25).to((33.700, 39.000), 25).to((34.230, 39.150), 36).silent("08:34", "09:29")
    drone = Mover("drone-1", "drone").start("10:00", (34.350, 38.800), 4200.0).to((33.800, 38.600), 100, 4200.0)
    drone.to((33.750, 38.560), 90, 2400.0)
    for k in range(1, 37):
        turn = np.radians(40.0 * k)
        drone.to((33.750 + 0.030 * np.sin(turn), 38.560 + 0.036 * (np.cos(turn) - 1.0)), 90, 2400.0)
    drone.to((33.830, 38.600), 90, 4300.0).to((34.350, 38.800), 110, 4300.0)
    return [*movers, herder, stranger, drone]


def reports(mover: Mover, rng: np.random.Generator) -> list[dict[str, str]]:
    """Return the mover's reports in the order of their observation."""
    knot_s, lat, lon, alt = np.array(mover.knots).T
    rows = []
    t_s = knot_s[0] + np.floor(rng.uniform(0.0, REPORT_EVERY_S))
    while t_s < knot_s[-1]:
        k = int(np.searchsorted(knot_s, t_s, side="right")) - 1
        share = (t_s - knot_s[k]) / (knot_s[k + 1] - knot_s[k])
        course, _, way_m = EARTH.inv(lon[k], lat[k], lon[k + 1], lat[k + 1])
        parked = way_m < 1.0
        here = EARTH.fwd(lon[k], lat[k], course, share * way_m)
        off_east, off_north = rng.normal(0.0, SIGMA_M, 2)
        here = EARTH.fwd(here[0], here[1], np.degrees(np.arctan2(off_east, off_north)), np.hypot(off_east, off_north))
        speed_kmh = abs(rng.normal(0.0, 0.3)) if parked else 3.6 * way_m / (knot_s[k + 1] - knot_s[k])
        height = alt[k] + share * (alt[k + 1] - alt[k]) + rng.normal(0.0, 10.0)
        if not any(since <= t_s < until for since, until in mover.silences):
            rows.append(
                {
                    "track_id": f"dev:sim-{mover.name}",
                    "observed": instant(t_s),
                    "received": instant(t_s + rng.uniform(1.0, 4.0)),
                    "lat_deg": f"{here[1]:.6f}",
                    "lon_deg": f"{here[0]:.6f}",
                    "alt_m": "" if np.isnan(height) else f"{height:.0f}",
                    "speed_kmh": f"{max(0.0, speed_kmh + (0 if parked else rng.normal(0.0, 0.8))):.1f}",
                    "course_deg": "" if parked else f"{(course + rng.normal(0.0, 1.5)) % 360.0 % 359.95:.1f}",
                    "accuracy_m": f"{ACCURACY_M:.0f}",
                    "feed": FEED,
                    "party": mover.party,
                    "category": mover.category,
                }
            )
        long_stop = parked and knot_s[k + 1] - knot_s[k] > 1800.0
        t_s += PARKED_EVERY_S if long_stop else REPORT_EVERY_S
    return rows


def instant(t_s: float) -> str:
    """Return RFC 3339, to the second."""
    return (DAY + timedelta(seconds=round(t_s))).isoformat().replace("+00:00", "Z")


def spoil(rows: list[dict[str, str]], rng: np.random.Generator) -> list[dict[str, str]]:
    """Return the rows as a feed brings them: in order of arrival, some late, some twice, two unreadable."""
    for k in np.flatnonzero(rng.random(len(rows)) < DELAYED_SHARE):
        observed = datetime.fromisoformat(rows[k]["observed"]) - DAY
        rows[k]["received"] = instant(observed.total_seconds() + rng.uniform(40.0, 240.0))
    rows.sort(key=lambda row: (row["received"], row["track_id"]))
    arrived = []
    for row in rows:
        arrived.append(row)
        if rng.random() < DUPLICATE_SHARE:
            arrived.append(dict(row))
    trucks = [k for k, row in enumerate(arrived) if row["track_id"] == "dev:sim-truck-2"]
    wild, naive = dict(arrived[trucks[40]]), dict(arrived[trucks[90]])
    wild["lat_deg"] = "91.250000"
    naive["observed"] = naive["observed"].removesuffix("Z").replace("T", " ")
    arrived.insert(trucks[90] + 1, naive)
    arrived.insert(trucks[40] + 1, wild)
    return arrived


def main() -> None:
    rng = np.random.default_rng(SEED)
    rows = [row for mover in convoy() + notified() + others() for row in reports(mover, rng)]
    arrived = spoil(rows, rng)
    with (HERE / "tracks.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CSV_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(arrived)
    print(f"{len(arrived)} rows, {len({row['track_id'] for row in arrived})} movers")


if __name__ == "__main__":
    main()
