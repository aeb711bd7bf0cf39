"""What other rooms need of the format: when an exit is certain, by which key a party signs, how far one may stray."""

from __future__ import annotations

import json

import pytest

from tocsin.agreement.compile import compile_watchlist
from tocsin.agreement.lint import lint
from tocsin.agreement.load import parse
from tocsin.agreement.notices.budget import F3548, Budget
from tocsin.agreement.notices.rules import compile_rules
from tocsin.errors import AgreementErrors

KEY = "log.example/tanf+d00d65c9+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
BASE = {
    "format": "tocsin-agreement/1",
    "id": "x",
    "version": 1,
    "parties": [{"id": "north", "consent": {"state": "declared", "by": "north", "source": "S1"}}],
    "zones": [{"id": "ring", "geometry": {"circle": {"centre": {"lat_deg": 1, "lon_deg": 2}, "radius": "5 km"}}}],
}


def told(**changed):
    return parse(json.dumps(BASE | changed))


def zone(clear):
    return compile_watchlist(told(zones=[BASE["zones"][0] | {"clear": clear}])).zones[0]


@pytest.mark.parametrize(
    ("clear", "compiled"),
    [
        ({"distance": "300 m", "for": "PT5M"}, (300.0, 300.0)),
        ({"distance_m": 50}, (50.0, 60.0)),
        ({"for": "not_set"}, (0.0, 60.0)),
        ({"for": "0 s"}, (0.0, 0.0)),
        ("not_set", (0.0, 60.0)),
    ],
)
def test_an_exit_is_certain_when_the_agreement_says(clear, compiled):
    found = zone(clear)
    assert (found.clear_m, found.clear_s) == compiled


def test_a_distance_without_unit_is_refused():
    with pytest.raises(AgreementErrors, match=r"clear\.distance.*with its unit"):
        zone({"distance": 300})


def rules(excursions):
    agreement = told(notices={"movement": {"ack_is_permission": False, "excursions": excursions}})
    return agreement, compile_rules(agreement, compile_watchlist(agreement)).by_name["movement"].budget


def test_a_mover_strays_by_what_was_agreed_and_else_by_the_standard():
    assert rules({"single": "30 s", "inside_percent": 80})[1] == Budget(single_s=30.0, inside_share=0.8)
    assert rules("not_set")[1] == F3548 == rules({})[1]


@pytest.mark.parametrize(
    "excursions", [{"inside_percent": 120}, {"per_hour": -1}, {"single": "2 min", "recover": "1 min"}]
)
def test_what_is_no_budget_is_found_and_not_compiled(excursions):
    agreement = told(notices={"movement": {"ack_is_permission": False, "excursions": excursions}})
    assert ("NOT-01", "inconsistent") in {(f.code, f.state) for f in lint(agreement) if "excursions" in f.path}
    with pytest.raises(AgreementErrors, match="numbers of one budget"):
        rules(excursions)


def test_a_key_is_one_that_can_sign_and_only_its_own_party_s():
    party = BASE["parties"][0]

    def found(*keys):
        parties = [party | {"id": f"p{n}", "key": key} for n, key in enumerate(keys)]
        return [f.message for f in lint(told(parties=parties)) if f.code == "PAR-02" and f.path.endswith(".key")]

    assert found(KEY) == []
    assert "by which it could sign" in found(KEY.replace("d00d", "d00e"))[0]
    assert len(found(KEY, KEY)) == 2
