"""A station at work: recorded AIS over UDP at 60 times its speed, warned of by mail, webhook and MQTT, all of it local.

Starts a mail server, a webhook receiver and, if there is one, an MQTT broker; runs `tocsin run`; replays the recording;
acknowledges the first case from the page of its mail, and lets the others climb to the person at the end of the ladder.
Ends with 0 if all of that came about, and leaves the station's folder in `out/live`.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SPEED = 60
"""Times as fast as it was."""
WAIT_S = 240
"""Seconds after which a step is given up; a station compiles its kernels at its first start."""

try:
    import httpx2
    import pyarrow.parquet as pq
    from aiosmtpd.controller import Controller
    from pyais.encode import encode_dict
except ModuleNotFoundError:  # the system's Python: go on with the project's
    PYTHON = ROOT / ".venv" / "bin" / "python"
    if not PYTHON.exists() or Path(sys.prefix) == ROOT / ".venv":
        sys.exit("run `python3 do.py check` once, which sets the project up")
    sys.exit(subprocess.run([PYTHON, __file__, *sys.argv[1:]], check=False).returncode)


class Mailbox:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, server, session, envelope) -> str:
        self.mails.append(envelope.content.decode("utf-8", "replace"))
        return "250 kept"


class Hook(BaseHTTPRequestHandler):
    """A webhook receiver that keeps what it gets."""

    bodies: list[dict] = []  # noqa: RUF012 - one list for the whole example

    def do_POST(self) -> None:
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(found, what: str):
    for _ in range(WAIT_S * 10):
        if value := found():
            return value
        time.sleep(0.1)
    sys.exit(f"waited {WAIT_S} s in vain for {what}")


def sentences() -> list[tuple[float, bytes]]:
    """Return the recording as AIS sentences, each with its second since the beginning."""
    rows = pq.read_table(HERE / "tracks.parquet").to_pylist()
    begin = rows[0]["t"]
    made = []
    for row in rows:
        # No time in the message and none in the line: its arrival stands for it. No speed either: sixty times as fast,
        # the recorded one would contradict the places.
        fields = {"msg_type": 1, "mmsi": int(row["track_id"]), "lat": row["lat"], "lon": row["lon"], "speed": 102.3}
        fields |= {"course": 360.0, "heading": 511, "second": 60}
        (line,) = encode_dict(fields, talker_id="AI")
        made.append(((row["t"] - begin).total_seconds(), line.encode() + b"\r\n"))
    return made


def replay(port: int) -> None:
    lines = sentences()
    began = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for at_s, line in lines:
            time.sleep(max(0.0, began + at_s / SPEED - time.monotonic()))
            sender.sendto(line, ("127.0.0.1", port))


def broker(stack: ExitStack, folder: Path) -> tuple[int, list[bytes]] | None:
    """Start an MQTT broker and listen to it, if there is one here."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        return None
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    port, heard = free_port(), []
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([program, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "the MQTT broker")
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_connect = lambda c, *_: c.subscribe("tocsin/#", qos=1)
    client.on_message = lambda _c, _u, message: heard.append(message.payload)
    client.connect("127.0.0.1", port)
    client.loop_start()
    stack.callback(client.loop_stop)
    stack.callback(client.disconnect)
    return port, heard


def channels(folder: Path, *, mail: int, hook: int, door: int, mqtt: int | None) -> Path:
    near = "allow: [127.0.0.1]"
    board = f"transport: mqtt, host: 127.0.0.1, port: {mqtt}, security: none, {near}"
    path = folder / "channels.yaml"
    path.write_text(
        f"desk_mail: {{transport: smtp, host: 127.0.0.1, port: {mail}, security: none, {near}, "
        "sender: station@example.org, to: {watch: [watch@example.org]}}\n"
        f"desk_hook: {{transport: webhook, url: 'http://127.0.0.1:{hook}/', {near}}}\n"
        f"duty_officer: {{transport: webhook, url: 'http://127.0.0.1:{hook}/', {near}}}\n"
        f"board: {{{board if mqtt else 'transport: file, path: board.jsonl'}}}\n"
        f"answers: {{url: 'http://127.0.0.1:{door}/answer/'}}\n"
    )
    return path


def main(out: Path) -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mailbox = Mailbox()
        mail = Controller(mailbox, hostname="127.0.0.1", port=free_port())
        mail.start()
        stack.callback(mail.stop)
        hook = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        threading.Thread(target=hook.serve_forever, daemon=True).start()
        stack.callback(hook.shutdown)
        mqtt = broker(stack, folder)
        door = free_port()
        setting = channels(
            folder, mail=mail.port, hook=hook.server_port, door=door, mqtt=mqtt[0] if mqtt else None
        )  # fmt: skip
        shutil.rmtree(out, ignore_errors=True)
        command = [sys.executable, "-m", "tocsin", "run", HERE / "agreement.yaml", "--data", out, "--channels", setting]
        command += ["--bind", f"127.0.0.1:{door}", "--feed", "udp://127.0.0.1:0?format=ais&name=solent&lateness=5s"]
        station = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(station.terminate)
        ready = json.loads(station.stdout.readline() or "null")
        if ready is None:
            return 1
        say(f"the station is ready: {ready['http']}, feed {ready['feeds']}")
        key = Path(ready["token_file"]).read_text().strip()
        ask = stack.enter_context(httpx2.Client(base_url=ready["http"], headers={"Authorization": f"Bearer {key}"}))
        replaying = threading.Thread(target=replay, args=(ready["feeds"]["solent"],), daemon=True)
        replaying.start()
        link = until(lambda: next(iter(links(mailbox.mails)), None), "a mail with a link")
        page = httpx2.get(link)
        say(f"mail 1 has come; its page says: {re.search('<h1>(.*?)</h1>', page.text)[1]}")
        done = httpx2.post(link, data={"who": "A. Watchkeeper", "text": ""})
        say(f"acknowledged from the page: {done.status_code}")
        replaying.join()

        def cases() -> list[dict]:
            return ask.get("/v1/cases").json()["cases"]

        def climbed() -> list[dict]:
            return [c for c in cases() if any(m["recipient"] == "duty_officer" for m in c["messages"])]

        answered = until(
            lambda: [c for c in cases() if any(a["disposition"] == "counted" for a in c["acknowledgements"])],
            "an acknowledgement that counts",
        )
        end = until(climbed, "a case that climbs to the person at its end")
        counters = ask.get("/counters").json()["total"]
        say(f"reports {counters['received']}: accepted {counters['accepted']}, duplicate {counters['duplicate']}, ")
        say(f"  rejected {sum(counters['rejected'].values())}, arrival for time {counters['flagged']['arrival_time']}")
        say(f"cases {len(cases())}: acknowledged {len(answered)}, climbed to the duty officer {len(end)}")
        published = len(mqtt[1]) if mqtt else "no broker here"
        say(f"mails {len(mailbox.mails)}, webhooks {len(Hook.bodies)}, published {published}")
        station.terminate()
        return 0 if station.wait(60) == 0 and answered[0]["level"] == 1 and Hook.bodies else 1


def links(mails: list[str]) -> list[str]:
    """Return the links to answer pages in some mails, whose long lines quoted-printable has cut."""
    return [link for mail in mails for link in re.findall(r"http://127\.0\.0\.1:\d+/answer/[\w.-]+", whole(mail))]


def whole(mail: str) -> str:
    from email import message_from_string
    from email.policy import default

    body = message_from_string(mail, policy=default).get_body(("plain",))
    return body.get_content() if body else ""


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "out" / "live"))
