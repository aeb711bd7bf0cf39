"""docs/guide/feeds.md and api.md: their tables are the code's, their URLs open, and their commands run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.serve.api.stage import Hall

from tocsin.clock import now_us
from tocsin.errors import SettingError
from tocsin.serve.app import make_api
from tocsin.tracks.feeds.feed import FACT_MEANING, TRANSPORTS, open_feed
from tocsin.tracks.formats.live import LATENESS_S
from tocsin.units import format_instant

ROOT = Path(__file__).parents[2]
FEEDS = (ROOT / "docs/guide/feeds.md").read_text()
API = (ROOT / "docs/guide/api.md").read_text()


def cells(page: str, header: str) -> list[list[str]]:
    """Return the rows of the table whose header line begins so."""
    lines = page[page.index(header) :].split("\n")[2:]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in lines[: next(k for k, line in enumerate(lines) if not line.startswith("|"))]
    ]


def test_schemes_formats_and_facts_are_those_of_the_code() -> None:
    shown = " ".join(row[0] for row in cells(FEEDS, "| URL |"))
    assert set(re.findall(r"`([a-z+-]+):", shown)) == set(TRANSPORTS)
    assert cells(FEEDS, "| format |") and {row[0].strip("`"): row[2] for row in cells(FEEDS, "| format |")} == {
        str(form): f"{late_s:g} s" for form, late_s in LATENESS_S.items()
    }
    assert cells(FEEDS, "| fact |") == [[f"`{fact}`", text] for fact, text in FACT_MEANING.items()]


def test_urls_of_the_page_open(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("user:password")
    secret.chmod(0o600)
    block = re.search(r"```text\n(.*?)```", FEEDS, re.DOTALL)
    assert block
    for url in block[1].split():
        assert open_feed(re.sub(r"credentials=[^&]+", f"credentials={secret}", url)).name


def test_options_of_the_page_are_those_that_are_taken() -> None:
    schemes = {"udp": "udp://h:1", "tcp": "tcp://h:1", "file": "file:a", "mqtt": "mqtt://h/a", "nats": "nats://h/a"}
    schemes |= {"push": "push:a"}
    said = {name.strip("` "): row[1] for row in cells(FEEDS, "| option |") for name in row[0].split(",")}
    for scheme, url in schemes.items():
        with pytest.raises(SettingError) as refused:
            open_feed(f"{url}?none=1")
        taken = set(refused.value.expected.removeprefix("one of ").split(", "))
        stated = {n for n, of in said.items() if (of == "all" or f"`{scheme}`" in of) and "all but" not in of}
        stated |= {n for n, of in said.items() if "all but" in of and f"`{scheme}`" not in of}
        assert taken == stated, scheme


def test_operations_of_the_page_are_those_of_the_document(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    paths = make_api(hall.stage, keys=hall.keys).openapi()["paths"]
    there = {f"`{method.upper()} {path}`" for path, operations in paths.items() for method in operations}
    assert {row[0] for row in cells(API, "| operation |")} == there


@pytest.fixture
def station(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the ready line of a station that runs."""
    agreement = ROOT / "examples/us-coast/agreement.yaml"
    command = [sys.executable, "-m", "tocsin", "run", str(agreement), "--data", str(tmp_path / "s"), "--feed"]
    with subprocess.Popen([*command, "push:trucks"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_commands_of_the_page_run_against_a_station(station: dict[str, str]) -> None:
    folder = station["data"]

    def tocsin(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "tocsin", *words], capture_output=True, text=True, check=True, timeout=120
        )
        return done.stdout

    keys: dict[str, str] = {"STATION": station["http"], "KEEPER": Path(station["token_file"]).read_text().strip()}
    first, second = re.findall(r"```console\n(.*?)```", API, re.DOTALL)
    for command in re.findall(r"^\$ tocsin (.*)$", first, re.MULTILINE):
        words = shlex.split(command.replace("FOLDER", folder))
        if words[1] == "revoke":
            known = [json.loads(row) for row in tocsin("access", "list", folder).splitlines()]
            (words[3],) = [key["id"] for key in known if key["scope"] == "party"]
        printed = tocsin(*words)
        if words[1] == "create":
            keys[words[3].removeprefix("--").upper()] = printed.strip()
    lines = second.replace('"NOW"', f'"{format_instant(now_us())}"').splitlines()
    for n, line in enumerate(lines):
        if line.startswith("$ "):
            environment = {**os.environ, **keys}
            done = subprocess.run(
                line[2:].replace("curl ", "curl --silent --fail --max-time 60 "),
                shell=True, capture_output=True, text=True, env=environment, check=False,
            )  # fmt: skip
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            answer = json.loads(done.stdout)
            if n + 1 < len(lines) and not lines[n + 1].startswith("$ "):
                assert answer == json.loads(lines[n + 1])
    assert answer["ok"] is True
    assert keys["PARTY"].startswith("tocsin_")
