"""A real SMTP relay on loopback that answers by script and keeps what it took, or says that it did."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Script:
    """How the relay behaves."""

    mail: str = "250 sender ok"
    rcpt: Callable[[str], str] = lambda mailbox: "250 recipient ok"
    data: str = "250 queued as ABC123"
    offers: tuple[str, ...] = ("DSN", "8BITMIME")
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    login: str | None = None
    hang_at: str = ""
    cut_at: str = ""


class Handler(socketserver.StreamRequestHandler):
    """One SMTP session."""

    server: FakeRelay

    def reply(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")
        self.wfile.flush()

    def upgrade(self, context: ssl.SSLContext) -> None:
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)  # type: ignore[assignment]

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def handle(self) -> None:
        script = self.server.script
        if script.implicit and script.tls is not None:
            self.upgrade(script.tls)
        self.reply("220 relay ready")
        while line := self.rfile.readline():
            command = line.decode().strip()
            self.server.commands.append(command)
            verb = command.split(" ", 1)[0].upper()
            if verb == script.cut_at:
                return
            if verb == script.hang_at:
                self.server.ended.wait()
                return
            if not self.answer(verb, command):
                return

    def answer(self, verb: str, command: str) -> bool:
        script = self.server.script
        if verb == "EHLO":
            offers = [*script.offers, *(["STARTTLS"] if script.tls and not script.implicit else [])]
            offers += ["AUTH PLAIN"] if script.login else []
            for offer in ["relay.test", *offers]:
                self.reply(f"250-{offer}")
            self.reply("250 SIZE 1000000")
        elif verb == "STARTTLS" and script.tls is not None:
            self.reply("220 go ahead")
            self.upgrade(script.tls)
        elif verb == "AUTH":
            good = base64.b64encode(f"\0{script.login}".encode().replace(b":", b"\0")).decode()
            self.reply("235 ok" if command.endswith(good) else "535 wrong")
        elif verb == "MAIL":
            self.reply(script.mail)
        elif verb == "RCPT":
            self.reply(script.rcpt(command.split("<")[1].split(">", maxsplit=1)[0]))
        elif verb == "DATA":
            self.reply("354 go on")
            lines = []
            while (line := self.rfile.readline()) not in {b".\r\n", b""}:
                lines.append(line)
            if script.cut_at == "BODY":
                return False
            self.server.mails.append(b"".join(lines))
            self.reply(script.data)
        elif verb == "QUIT":
            self.reply("221 bye")
            return False
        else:
            self.reply("250 ok")
        return True


@dataclass
class FakeRelay(socketserver.ThreadingTCPServer):
    """The server; use as a context manager."""

    script: Script
    mails: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def __init__(self, script: Script) -> None:
        self.script, self.mails, self.commands = script, [], []
        self.ended = threading.Event()
        self.daemon_threads = True
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def __enter__(self) -> FakeRelay:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of the test."""
