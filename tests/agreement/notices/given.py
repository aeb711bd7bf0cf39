"""The cable agreement's rules, and notices under them, for the tests of this folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tocsin.agreement.compile import compile_watchlist
from tocsin.agreement.load import load
from tocsin.agreement.notices.formats.door import Sort, item
from tocsin.agreement.notices.notice import Consent, Notice, ReceiptOf, Verification
from tocsin.agreement.notices.rules import Rules, compile_rules

CABLE = Path(__file__).parents[2] / "data" / "agreements" / "northreach-cable.yaml"
TRACK = "mmsi:257000001"
ROUTE = {
    "line": [{"lat_deg": 57.20, "lon_deg": 5.40}, {"lat_deg": 57.00, "lon_deg": 5.44}],
    "half_width": "500 m",
}
"""Across the cable, north to south."""


@cache
def rules() -> Rules:
    """Return the cable agreement's rules: 24 h lead, 1 h short notice with a reason, receipts in 15, 30, 60 min."""
    agreement = load(CABLE)
    return compile_rules(agreement, compile_watchlist(agreement))


def form(**changed: Any) -> dict[str, Any]:
    """Return a whole notice of the fishers as a form has it; None leaves a key out."""
    told: dict[str, Any] = {
        "reference": "F-1",
        "party": "fishers",
        "given_by": "duty desk",
        "given_at": "2031-06-01T08:00:00Z",
        "movers": [{"track": TRACK, "name": "Havorn", "category": "fishing"}],
        "route": ROUTE,
        "from": "2031-06-02T10:00:00Z",
        "to": "2031-06-02T16:00:00Z",
        "content": {"gear": "pots"},
    }
    return {key: value for key, value in (told | changed).items() if value is not None}


def notice(**changed: Any) -> Notice:
    """Return the notice of a form."""
    found = item(form(**changed), source="test:1")
    assert isinstance(found, Notice)
    return found


def about(act: str, replaces: str, at: str, **more: Any) -> Notice:
    """Return a cancellation, withdrawal or confirmation."""
    told = {"party": "fishers", "given_by": "duty desk", "given_at": at, "act": act, "replaces": replaces, **more}
    found = item(told, source="test:1")
    assert isinstance(found, Notice)
    return found


def receipt(kind: str, at: str, *, notice: str = "F-1", unit: str | None = None, of: str = "operator") -> ReceiptOf:
    """Return a receipt of a notice of the fishers."""
    told = {"notice": notice, "party": "fishers", "receipt": kind, "by": "officer", "of": of, "at": at}
    found = item(told | ({"unit": unit} if unit else {}), source="test:2", sort=Sort.RECEIPT)
    assert isinstance(found, ReceiptOf)
    return found


def consent(to: str, at: str, *, notice: str = "F-1", **more: Any) -> Consent:
    """Return a consent of the fishers."""
    told = {"notice": notice, "party": "fishers", "to": to, "by": "owner", "at": at, **more}
    found = item(told, source="test:3", sort=Sort.CONSENT)
    assert isinstance(found, Consent)
    return found


def checked(status: str, at: str, *, notice: str = "F-1", **more: Any) -> Verification:
    """Return a verification of a site."""
    told = {"notice": notice, "party": "fishers", "status": status, "at": at, **more}
    found = item(told, source="test:4", sort=Sort.VERIFICATION)
    assert isinstance(found, Verification)
    return found
