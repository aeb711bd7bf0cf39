"""The receiver of warnings: its own process; tells its port, then, once its input ends, when each message came.

    python -m benchmarks.load.sink < pipe

A message came when its first bytes did. It answers 200 and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
import time
from typing import ClassVar

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
MMSI = re.compile(rb"\b(\d{9})\b")
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"


class Taken(asyncio.Protocol):
    """One connection, one message."""

    kept: ClassVar[list[tuple[float, str, str]]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.at = 0.0
        self.bytes = b""

    def data_received(self, data: bytes) -> None:
        self.at = self.at or time.time()
        self.bytes += data
        head, blank, body = self.bytes.partition(b"\r\n\r\n")
        found = LENGTH.search(head) if blank else None
        if found is None or len(body) < int(found[1]):
            return
        said = json.loads(body)["data"]
        track = MMSI.search(f"{said['subject']} {said['body']}".encode())
        self.kept.append((self.at, said["message_id"], track[1].decode() if track else ""))
        assert isinstance(self.transport, asyncio.WriteTransport)
        self.transport.write(ANSWER)
        self.transport.close()


async def main() -> None:
    """Serve until the input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Taken, "127.0.0.1", 0, backlog=1_000)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()

    def read() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read, daemon=True).start()
    await ended.wait()
    server.close()
    json.dump(Taken.kept, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
