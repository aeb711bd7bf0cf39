"""The tests' station with notices: its agreement asks for them, and this is how parties give them."""

from __future__ import annotations

from typing import Any

from tests.station.walks import SECOND, START, WRITTEN

from tocsin.canon import canonical_line
from tocsin.station.core.inputs import Saying
from tocsin.station.core.terms import AgreementText, compile_terms
from tocsin.units import format_instant

NOTICES = b"""
notices:
  movement:
    required_for: [traffic]
    content: [vessel]
    lead: PT1M
    receipt_within: PT1M
    passed_to: [watch]
    passed_within: PT2M
    read_within: PT3M
    ack_is_permission: false
"""
NOTED = AgreementText(file="noted.yaml", text=WRITTEN.text + NOTICES)
TERMS = compile_terms(NOTED)
ACROSS = {"line": [{"lat_deg": 55.0, "lon_deg": 9.9}, {"lat_deg": 55.0, "lon_deg": 10.1}], "half_width": "500 m"}


def at(seconds: float) -> str:
    return format_instant(START + round(seconds * SECOND))


def said(sort: str, given_s: float, **value: Any) -> Saying:
    """Return what the traffic says at a second of the walk."""
    told = {"party": "traffic", **value}
    told |= {"given_by": "desk", "given_at": at(given_s)} if sort == "notice" else {"at": at(given_s)}
    return Saying(line=canonical_line({"sort": sort, "value": told, "entered": at(given_s)}))


def movement(reference: str, track: str, given_s: float, from_s: float, to_s: float, **more: Any) -> Saying:
    value = {"reference": reference, "movers": [{"track": track}], "route": ACROSS, "content": {"vessel": "x"}}
    return said("notice", given_s, **(value | {"from": at(from_s), "to": at(to_s)} | more))
