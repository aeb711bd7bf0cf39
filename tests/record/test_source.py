"""A record served by a web server, and a record that grows while it is read."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest
from tests.record.conftest import AT_US, make_entries, make_signer, write_log
from tests.record.test_standalone import run_alone

from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.tiles import MAX_BUNDLE_BYTES
from tocsin.record.log import Log
from tocsin.record.rotation import RotationReason
from tocsin.record.verifier.command import BAD, FORK, GOOD, UNAVAILABLE, verify_command
from tocsin.record.verifier.source import FolderSource, UrlSource
from tocsin.record.verifier.standalone import write_standalone
from tocsin.record.verifier.verify import verify


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class _Redirect(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "file:///etc/passwd")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _Cut(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(handler: object) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), handler) as server:  # type: ignore[arg-type]
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_any_web_server_can_carry_a_record(kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Log.open(kept, make_signer()) as log:  # a handover lies where a verifier that cannot list must look for it
        log.rotate(make_signer(number=2), reason=RotationReason.PLANNED, at_us=AT_US)
        log.append(make_entries(300, 8))
        log.publish()
    with serving(functools.partial(_Quiet, directory=str(kept / "record"))) as url:
        state = tmp_path / "state"
        assert verify_command(f"{url}/", state=state) == GOOD
        out = capsys.readouterr().out
        assert "308 entries" in out
        assert "NOT COVERED  files nobody asked for" in out
        write_standalone(tmp_path / "verify.py")
        assert run_alone(tmp_path / "verify.py", url).returncode == GOOD
        bundle = kept / "record/tile/entries/000"
        bundle.write_bytes(bundle.read_bytes().replace(b"message", b"massage", 1))
        assert verify_command(url, state=state) == BAD
        shutil.rmtree(kept)
        write_log(kept, 8).close()
        assert verify_command(url, state=state) == FORK
    assert verify_command(url) == UNAVAILABLE


def test_a_redirect_is_not_followed() -> None:
    with serving(_Redirect) as url, pytest.raises(RecordError, match="answered 302"):
        UrlSource(url).read("checkpoint")


def test_a_cut_answer_is_no_answer_rather_than_a_bad_record() -> None:
    with serving(_Cut) as url, pytest.raises(RecordError, match="cut short after 4 bytes") as caught:
        UrlSource(url).read("checkpoint")
    assert not isinstance(caught.value, VerificationError)


@pytest.mark.parametrize("prefix", ["file:///etc", "ftp://x", "x"])
def test_only_http_is_a_url(prefix: str) -> None:
    with pytest.raises(RecordError, match="expected an http"):
        UrlSource(prefix)


@pytest.mark.parametrize("what", ["folder", "pipe", "link"])
def test_what_is_no_plain_file_is_refused_without_waiting(kept: Path, what: str) -> None:
    path = kept / "record/tile/0/000.p/7"
    path.rename(kept / "elsewhere")
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(kept / "elsewhere")
    with pytest.raises(VerificationError, match="no plain file"):
        FolderSource(kept / "record").read("tile/0/000.p/7")


def test_a_file_larger_than_any_of_a_record_is_not_read(kept: Path) -> None:
    with (kept / "record/checkpoint").open("r+b") as file:
        file.truncate(MAX_BUNDLE_BYTES + 1)
    with pytest.raises(VerificationError, match="no plain file of at most"):
        FolderSource(kept / "record").read("checkpoint")


def test_a_record_that_grows_while_it_is_read_is_read_again(kept: Path) -> None:
    """A keeper publishes each second; a verifier must not cry wolf because it read half before and half after."""
    with Log.open(kept, make_signer()) as log:

        class Growing(FolderSource):
            grown = 0

            def read(self, path: str) -> bytes | None:
                data = super().read(path)
                if path == "checkpoint" and Growing.grown < 3:
                    Growing.grown += 1
                    log.append(make_entries(256, log.size))
                    log.publish()
                return data

        found = verify(Growing(kept / "record"))
    assert found.size >= 7
