"""Bytes from strangers: every reader says no in one way, whatever it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.record.conftest import ORIGIN, make_signer, write_log

from tocsin.errors import VerificationError
from tocsin.record.c2sp.checkpoint import Checkpoint, parse_checkpoint
from tocsin.record.c2sp.cosign import open_note
from tocsin.record.c2sp.note import SignatureType, SignedNote, parse_note, parse_vkey
from tocsin.record.c2sp.policy import Policy, Witness, parse_policy
from tocsin.record.c2sp.proof import parse_proof
from tocsin.record.c2sp.tiles import parse_bundle, parse_tile_path
from tocsin.record.envelope import parse_envelope
from tocsin.record.payload import parse_opening
from tocsin.record.verifier.evidence import parse_evidence
from tocsin.record.witness.client import Outcome, ask_witnesses
from tocsin.record.witness.protocol import parse_request

TEXT = str(Checkpoint(origin=ORIGIN, size=3, root=bytes(32)))
NOTE = bytes(SignedNote(text=TEXT, signatures=(make_signer().sign(TEXT),)))
READERS: list[Callable[[bytes], object]] = [
    parse_note,
    parse_request,
    parse_proof,
    parse_evidence,
    parse_envelope,
    lambda data: parse_opening(data, "here"),
    lambda data: parse_bundle(data, 3, "here"),
    lambda data: parse_policy(data.decode(errors="replace")),
    lambda data: parse_vkey(data.decode(errors="replace")),
    lambda data: parse_checkpoint(data.decode(errors="replace")),
    lambda data: open_note(parse_note(data), [make_signer().vkey]),
]
STARTS = [
    NOTE,
    b"old 0\n\n" + NOTE,
    b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + NOTE,
    b"tocsin-evidence/1\n" + str(make_signer().vkey).encode() + b"\nAAAA\n\n" + NOTE + b"\n" + NOTE,
    b'{"at":"2017-05-18T08:00:00.000000Z","audience":["un"],"commitment":"' + b"0" * 64 + b'","kind":"event","v":1}',
    b"\x00\x01a\x00\x01b\x00\x01c",
    f"log {make_signer().vkey}\nquorum none\n".encode(),
]


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """Return something well-formed with a few bytes cut, doubled or changed."""
    data = draw(st.sampled_from(STARTS))
    for _ in range(draw(st.integers(0, 3))):
        at, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        data = data[:at] + draw(st.binary(max_size=6) | st.just(data[at:end] * 2)) + data[end:]
    return data


@given(mangled() | st.binary(max_size=200))
@example(b"")
@example(b"\n\n")
@example(b"[" * 50_000)
@example(b'{"v":' + b"9" * 5_000 + b"}")
def test_every_reader_refuses_in_one_way(data: bytes) -> None:
    for read in READERS:
        try:
            read(data)
        except VerificationError:
            continue


@given(st.text(max_size=60))
def test_a_path_is_a_tiles_or_it_is_none(path: str) -> None:
    parse_tile_path(path)


class _Liar(BaseHTTPRequestHandler):
    status, content_type, body, promised = 200, "text/plain", b"", 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Type", self.content_type)
        self.send_header("Content-Length", str(self.promised or len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def lying(**answer: Any) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), type("Liar", (_Liar,), answer)) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


OTHER = make_signer("other.example", SignatureType.COSIGNATURE_ED25519, 60)
COSIGNER = make_signer("un.example", SignatureType.COSIGNATURE_ED25519, 61)
LARGER = str(Checkpoint(origin=ORIGIN, size=9, root=bytes(32)))


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"body": b""}, Outcome.INVALID),
        ({"body": b"OK\n"}, Outcome.INVALID),
        ({"body": b"\xff\xfe"}, Outcome.INVALID),
        ({"body": f"{OTHER.sign(TEXT, time_s=1)}\n".encode()}, Outcome.INVALID),
        ({"body": f"{COSIGNER.sign(LARGER, time_s=1)}\n".encode()}, Outcome.INVALID),
        ({"status": 409, "content_type": "text/x.tlog.size", "body": b"99\n"}, Outcome.AHEAD),
        ({"status": 409, "content_type": "text/x.tlog.size", "body": b"1\n"}, Outcome.REFUSED),
        ({"status": 409, "content_type": "text/x.tlog.size", "body": b"-1\n"}, Outcome.INVALID),
        ({"status": 409, "content_type": "text/x.tlog.size", "body": "٣\n".encode()}, Outcome.INVALID),
        ({"status": 409, "content_type": "text/html", "body": b"<html>"}, Outcome.REFUSED),
        ({"status": 302, "body": b"elsewhere"}, Outcome.REFUSED),
        ({"status": 422, "body": b"no"}, Outcome.CONTRADICTS),
        ({"status": 500, "body": b"x" * 300_000}, Outcome.REFUSED),
        ({"status": 500, "body": b"cut", "promised": 9}, Outcome.REFUSED),
    ],
)
def test_a_witness_that_answers_nonsense_adds_nothing(tmp_path: Path, answer: dict[str, Any], outcome: Outcome) -> None:
    with lying(**answer) as url, write_log(tmp_path, 3) as log:
        witnesses = (Witness(name="un", vkey=COSIGNER.vkey, url=url),)
        policy = Policy(logs=(), witnesses=witnesses, groups={}, quorum="un")
        (reply,) = ask_witnesses(policy, log.note, log.consistency_proof)
        assert (reply.outcome, reply.lines) == (outcome, ())
        assert len(reply.detail) < 400
