"""The sender: its own process; every report when it is due, its time that moment; one line of JSON when it is done.

    python -m benchmarks.load.driver '{"door": "tcp", "port": 1234, "rate": 5000, "seconds": 30, …}'

All lines are written before the start. A sender that is held up (a full socket, an answer that takes its time) sends
as soon as it can; how far it fell behind is told, and lateness counts as the station's, since arrival is taken to be
the moment when a report was due.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from benchmarks.load.scene import Scene, make

LEAD_S = 2.0
"""Between the last line written and the first sent, at least."""

MARGIN = 2.5
"""How much slower than at first the writing may become: the machine is busy with other things as well."""


def texts(scene: Scene, began_us: int) -> list[bytes]:
    """Return every report as a JSON line, dated by when it is due."""
    at = (began_us + (scene.due_s * 1e6).astype(np.int64)).astype("datetime64[us]")
    said = zip(
        scene.tracks[scene.track].tolist(), np.datetime_as_string(at).tolist(), scene.lat.tolist(), scene.lon.tolist(),
        scene.speed_mps.tolist(), scene.course_deg.tolist(), strict=True,
    )  # fmt: skip
    line = '{"track_id":"mmsi:%s","observed":"%sZ","lat_deg":%s,"lon_deg":%s,"speed_mps":%s,"course_deg":%s}\n'
    return [(line % one).encode() for one in said]


def texts_s(scene: Scene) -> float:
    """Return how long writing all the lines will take at the pace of the first few, in seconds."""
    few = min(20_000, len(scene.due_s))
    columns = {name: getattr(scene, name)[:few] for name in ("due_s", "track", "lat", "lon", "speed_mps", "course_deg")}
    began = time.perf_counter()
    texts(replace(scene, **columns), 0)
    return (time.perf_counter() - began) * len(scene.due_s) / few


def cuts(due_s: np.ndarray, every_s: float) -> list[tuple[float, int, int]]:
    """Return when each piece of the reports is due whole, its first row and the row after its last."""
    edges = np.arange(every_s, due_s[-1] + 2 * every_s, every_s)
    places = np.searchsorted(due_s, edges)
    pieces = zip(edges[1:].tolist(), pairwise(places.tolist()), strict=True)
    first = [(float(edges[0]), 0, int(places[0]))]
    return [*first, *((at, a, b) for at, (a, b) in pieces)]


def drive(asked: dict[str, Any]) -> dict[str, Any]:
    """Send everything; return what was sent, and how far behind."""
    scene = make(rate=asked["rate"], seconds=asked["seconds"], entries=asked["entries"], seed=asked["seed"])
    began = time.time() + MARGIN * texts_s(scene) + LEAD_S
    lines = texts(scene, round(began * 1e6))
    pieces = [(at, b"".join(lines[a:b]), b - a) for at, a, b in cuts(scene.due_s, asked["piece_s"]) if b > a]
    del lines
    late_s = time.time() - began
    if late_s > 0:
        raise RuntimeError(f"the lines were written {late_s:.1f} s too late")
    send = {"tcp": _tcp, "udp": _udp, "http": _http}[asked["door"]]
    behind, refused = send(asked, pieces, began)
    return {
        "began": began,
        "sent": len(scene.due_s),
        "took_s": time.time() - began,
        "behind_max_s": max(behind),
        "refused": refused,
        "enters": {str(211_000_000 + n): began + at for n, at in enumerate(scene.enters_s.tolist())},
    }


def _wait(until: float) -> float:
    """Sleep until a moment; return how late it is."""
    left = until - time.time()
    if left > 0:
        time.sleep(left)
    return max(0.0, time.time() - until)


def _tcp(asked: dict[str, Any], pieces: list[tuple[float, bytes, int]], began: float) -> tuple[list[float], int]:
    _wait(began - LEAD_S / 2)  # a station gives up a connection on which nothing comes for a minute
    doors = [socket.create_connection(("127.0.0.1", asked["port"])) for _ in range(asked["senders"])]
    behind = []
    for number, (at, data, _) in enumerate(pieces):
        _wait(began + at)
        doors[number % len(doors)].sendall(data)
        behind.append(time.time() - began - at)
    for door in doors:
        door.shutdown(socket.SHUT_WR)
        door.close()
    return behind, 0


def _udp(asked: dict[str, Any], pieces: list[tuple[float, bytes, int]], began: float) -> tuple[list[float], int]:
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.connect(("127.0.0.1", asked["port"]))
    behind = []
    for at, data, _ in pieces:
        _wait(began + at)
        rows = data.split(b"\n")[:-1]
        for first in range(0, len(rows), 8):
            door.send(b"\n".join(rows[first : first + 8]))
        behind.append(time.time() - began - at)
    return behind, 0


def _http(asked: dict[str, Any], pieces: list[tuple[float, bytes, int]], began: float) -> tuple[list[float], int]:
    """Post the pieces in turn from several connections, each waiting for its answers."""
    behind: list[float] = []
    refused = [0]
    senders = asked["senders"]

    def work(first: int) -> None:
        door = http.client.HTTPConnection("127.0.0.1", asked["port"])
        headers = {"content-type": "application/x-ndjson", "authorization": f"Bearer {asked['token']}"}
        for at, data, count in pieces[first::senders]:
            _wait(began + at)
            while True:
                door.request("POST", "/v1/reports", data, headers)
                answer = door.getresponse()
                said = answer.read()
                if answer.status == 200:
                    break
                if answer.status not in (429, 503, 507):
                    raise RuntimeError(f"{answer.status}: {said[:300]!r}")
                refused[0] += count
                time.sleep(float(answer.headers.get("retry-after", "1")))
            behind.append(time.time() - began - at)
        door.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return behind, refused[0]


if __name__ == "__main__":
    print(json.dumps(drive(json.loads(sys.argv[1]))))
