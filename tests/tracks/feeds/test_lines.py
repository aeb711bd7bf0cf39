"""Sockets and files as feeds: cut connections, silence, restarts, rotation, floods (FAULTS 32 to 40)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tocsin.clock import US_PER_S, now_us
from tocsin.errors import RefusedError
from tocsin.tracks.feeds import inbox as inbox_module
from tocsin.tracks.feeds.feed import Delivery, FactKind, open_feed
from tocsin.units import format_instant

HOST = "127.0.0.1"


def line(n: int, track: str = "a", observed_us: int | None = None) -> bytes:
    at = format_instant(now_us() if observed_us is None else observed_us)
    return f'{{"track_id":"dev:{track}","observed":"{at}","lat_deg":{n / 1_000},"lon_deg":1}}\n'.encode()


class Taken:
    """Stands for the station: keeps what is delivered, and tells when enough has come."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.refuse = 0
        self.open = asyncio.Event()
        self.open.set()
        self._changed = asyncio.Condition()

    async def deliver(self, delivery: Delivery) -> None:
        await self.open.wait()
        if self.refuse:
            self.refuse -= 1
            raise RefusedError("full", is_full=True)
        self.deliveries.append(delivery)
        async with self._changed:
            self._changed.notify_all()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(done)

    @property
    def numbers(self) -> list[int]:
        return [round(lat * 1_000) for d in self.deliveries for lat in d.batch.lat_deg]

    @property
    def facts(self) -> list[FactKind]:
        return [fact.kind for d in self.deliveries for fact in d.facts]

    @property
    def reasons(self) -> list[str]:
        return [str(r.reason) for d in self.deliveries for r in d.rejects]


@contextlib.asynccontextmanager
async def running(url: str, taken: Taken, resume: str | None = None) -> AsyncIterator[object]:
    feed = open_feed(url)
    task = asyncio.create_task(feed.run(taken.deliver, resume=resume))
    try:
        yield feed
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        return bound.getsockname()[1]


def test_connections_cut_anywhere_cost_only_the_line_that_was_cut() -> None:
    rng = random.Random(32)
    lines = [line(n) for n in range(60)]

    async def play() -> None:
        whole: set[int] = set()
        served = 0

        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal served
            data = b"".join(lines)
            keep = len(data) if served == 8 else rng.randrange(1, len(data))
            served += 1
            whole.update(range(data[:keep].count(b"\n")))
            writer.write(data[:keep])
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, HOST, 0)
        port = server.sockets[0].getsockname()[1]
        taken = Taken()
        async with running(f"tcp://{HOST}:{port}?retry=10ms", taken):
            await taken.until(lambda: taken.facts.count(FactKind.LOST) >= 9 and 59 in taken.numbers)
        server.close()
        assert set(taken.numbers) == whole
        assert set(taken.reasons) <= {"truncated"}
        assert all(d.read == len(d.batch) + len(d.rejects) for d in taken.deliveries)

    asyncio.run(play())


def test_connected_but_silent_is_reported_and_connected_anew() -> None:
    async def play() -> None:
        connections = 0
        held = []

        async def swallow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            held.append(writer)
            if connections == 3:
                writer.write(line(7))

        server = await asyncio.start_server(swallow, HOST, 0)
        port = server.sockets[0].getsockname()[1]
        taken = Taken()
        async with running(f"tcp://{HOST}:{port}?retry=10ms&timeout=100ms", taken):
            await taken.until(lambda: taken.numbers == [7])
        assert taken.facts[:4] == [FactKind.CONNECTED, FactKind.SILENT] * 2
        for writer in held:
            writer.close()
            await writer.wait_closed()
        server.close()

    asyncio.run(play())


def test_source_that_is_away_is_said_once_and_found_when_it_comes() -> None:
    async def play() -> None:
        port = free_port()
        taken = Taken()
        async with running(f"tcp://{HOST}:{port}?retry=10ms", taken):
            await taken.until(lambda: FactKind.LOST in taken.facts)
            await asyncio.sleep(0.1)

            async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(line(1))
                writer.close()

            server = await asyncio.start_server(serve, HOST, port)
            await taken.until(lambda: taken.numbers == [1])
            server.close()
        assert taken.facts[:2] == [FactKind.LOST, FactKind.CONNECTED]

    asyncio.run(play())


def test_senders_that_connect_are_each_read_and_one_too_many_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.tracks.feeds.tcp.MAX_CONNECTIONS", 2)

    async def play() -> None:
        taken = Taken()
        async with running(f"tcp-listen://{HOST}:0", taken) as feed:
            await taken.until(lambda: FactKind.CONNECTED in taken.facts)
            writers = []
            for n in range(2):
                _, writer = await asyncio.open_connection(HOST, feed.port)
                writer.write(line(n)[:20])
                writers.append(writer)
            await asyncio.gather(*(w.drain() for w in writers))
            for n, writer in enumerate(writers):
                writer.write(line(n)[20:])
            await taken.until(lambda: sorted(taken.numbers) == [0, 1])
            reader, writer = await asyncio.open_connection(HOST, feed.port)
            assert await asyncio.wait_for(reader.read(), 10) == b""
            for each in (*writers, writer):
                each.close()
                await each.wait_closed()

    asyncio.run(play())


def test_datagrams_are_read_and_silence_is_said_once() -> None:
    async def play() -> None:
        taken = Taken()
        async with running(f"udp://{HOST}:0?timeout=100ms&format=json", taken) as feed:
            await taken.until(lambda: FactKind.SILENT in taken.facts)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(line(1) + line(2).rstrip(), (HOST, feed.port))
            await taken.until(lambda: taken.numbers == [1, 2])
            await taken.until(lambda: taken.facts.count(FactKind.SILENT) == 2)
        assert taken.facts == [FactKind.CONNECTED, FactKind.SILENT] * 2

    asyncio.run(play())


def test_flood_sheds_the_oldest_positions_of_each_track_and_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MAX_UNREAD", 100)

    async def play() -> None:
        taken = Taken()
        async with running(f"udp://{HOST}:0?format=json", taken) as feed:
            await taken.until(lambda: bool(taken.facts))
            taken.open.clear()
            sent = 0
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for n in range(100):
                    for track in "abc":
                        sender.sendto(line(n, track), (HOST, feed.port))
                        sent += 1
                    await asyncio.sleep(0)
                for _ in range(50):
                    await asyncio.sleep(0.001)
            taken.open.set()
            await taken.until(lambda: sum(d.read for d in taken.deliveries) == sent)
        assert 0 < sum(d.shed for d in taken.deliveries) == sent - len(taken.numbers)
        last = {
            d.batch.tracks[t]: n for d in taken.deliveries for t, n in zip(d.batch.track, d.batch.lat_deg, strict=True)
        }
        assert last == {"dev:a": 0.099, "dev:b": 0.099, "dev:c": 0.099}

    asyncio.run(play())


def test_flood_over_tcp_is_shed_too_and_everything_is_accounted_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MAX_UNREAD", 100)
    monkeypatch.setattr(inbox_module, "MOST_AT_ONCE", 7)

    async def play() -> None:
        taken = Taken()
        async with running(f"tcp-listen://{HOST}:0?format=json", taken) as feed:
            await taken.until(lambda: bool(taken.facts))
            taken.open.clear()
            _, writer = await asyncio.open_connection(HOST, feed.port)
            for n in range(400):
                writer.write(b"".join(line(n, track) for track in "abc"))
                await writer.drain()
                await asyncio.sleep(0)
            taken.open.set()
            await taken.until(lambda: sum(d.read for d in taken.deliveries) == 1_200)
            writer.close()
        assert 0 < sum(d.shed for d in taken.deliveries) == 1_200 - len(taken.numbers)
        assert {399} == {max(n for n in taken.numbers)}
        assert all(len(d.batch) <= 7 for d in taken.deliveries)

    asyncio.run(play())


def test_refused_delivery_is_tried_again_and_the_next_one_waits(tmp_path: Path) -> None:
    async def play() -> None:
        path = tmp_path / "log"
        path.write_bytes(b"".join(line(n) for n in range(5)))
        taken = Taken()
        taken.refuse = 3
        async with running(f"file:{path}", taken):
            await taken.until(lambda: len(taken.numbers) == 5)
        assert taken.numbers == [0, 1, 2, 3, 4]

    asyncio.run(play())


def test_yesterdays_recording_is_said_to_be_one_once() -> None:
    async def play() -> None:
        taken = Taken()
        yesterday = now_us() - 24 * 3_600 * US_PER_S
        async with running(f"udp://{HOST}:0", taken) as feed:
            await taken.until(lambda: bool(taken.facts))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for n in range(3):
                    sender.sendto(line(n, observed_us=yesterday + n), (HOST, feed.port))
                    await taken.until(lambda n=n: n in taken.numbers)
        assert taken.facts == [FactKind.CONNECTED, FactKind.REPLAYED]

    asyncio.run(play())


def test_file_goes_on_where_the_last_durable_delivery_ended(tmp_path: Path) -> None:
    async def play() -> None:
        path = tmp_path / "log"
        path.write_bytes(line(0) + line(1) + line(2)[:30])
        first = Taken()
        async with running(f"file:{path}?poll=10ms", first):
            await first.until(lambda: first.numbers == [0, 1])
        with path.open("ab") as file:
            file.write(line(2)[30:] + line(3))
        second = Taken()
        async with running(f"file:{path}?poll=10ms", second, resume=first.deliveries[-1].position):
            await second.until(lambda: 3 in second.numbers)
        assert second.numbers == [2, 3]
        assert FactKind.MISSED not in second.facts

    asyncio.run(play())


@pytest.mark.parametrize("away", [False, True], ids=["while it runs", "while it was away"])
def test_rotated_file_is_read_to_its_end_before_the_new_one(tmp_path: Path, away: bool) -> None:
    async def play() -> None:
        path = tmp_path / "log"
        path.write_bytes(line(0))
        taken = Taken()

        def rotate() -> None:
            with path.open("ab") as file:
                path.rename(tmp_path / "log.1")
                file.write(line(1))
            path.write_bytes(line(2))

        async with running(f"file:{path}?poll=10ms", taken):
            await taken.until(lambda: taken.numbers == [0])
            if not away:
                rotate()
                await taken.until(lambda: 2 in taken.numbers)
        if away:
            rotate()
            async with running(f"file:{path}?poll=10ms", taken, resume=taken.deliveries[-1].position):
                await taken.until(lambda: 2 in taken.numbers)
        assert taken.numbers == [0, 1, 2]
        assert FactKind.MISSED not in taken.facts

    asyncio.run(play())


@pytest.mark.parametrize("away", [False, True], ids=["while it runs", "while it was away"])
def test_file_that_was_cut_or_written_anew_is_said_to_have_been(tmp_path: Path, away: bool) -> None:
    async def play() -> None:
        path = tmp_path / "log"
        path.write_bytes(line(0) + line(1))
        taken = Taken()

        def rewrite() -> None:
            # The same inode, and longer than before: only its beginning tells.
            with path.open("r+b") as file:
                file.truncate()
                file.write(line(7) + line(8) + line(9))

        async with running(f"file:{path}?poll=10ms", taken):
            await taken.until(lambda: taken.numbers == [0, 1])
            if not away:
                rewrite()
                await taken.until(lambda: 9 in taken.numbers)
        if away:
            rewrite()
            async with running(f"file:{path}?poll=10ms", taken, resume=taken.deliveries[-1].position):
                await taken.until(lambda: 9 in taken.numbers)
        assert taken.numbers == [0, 1, 7, 8, 9]
        assert FactKind.MISSED in taken.facts

    asyncio.run(play())
