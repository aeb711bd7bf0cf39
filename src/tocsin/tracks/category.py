"""The kind of mover: the one list of words, and what each source's own codes mean in it.

AIS ship types by ITU-R M.1371-5, Table 53; station kinds by ITU-R M.585. A word is only ever what the
source declared: a ship that sent no type has none, and is then watched as every kind (`may_be`).
"""

from __future__ import annotations

from collections.abc import Set
from enum import StrEnum


class Category(StrEnum):
    """Kinds of mover. A word of `WIDER` stands for all the kinds under it."""

    VESSEL = "vessel"
    FISHING = "fishing"
    CARGO = "cargo"
    TANKER = "tanker"
    PASSENGER = "passenger"
    TUG = "tug"
    TOWING = "towing"
    DREDGING = "dredging"
    DIVING = "diving"
    SAILING = "sailing"
    PLEASURE = "pleasure"
    HIGH_SPEED_CRAFT = "high_speed_craft"
    WING_IN_GROUND = "wing_in_ground"
    PILOT = "pilot"
    PORT_TENDER = "port_tender"
    ANTI_POLLUTION = "anti_pollution"
    SEARCH_AND_RESCUE = "search_and_rescue"
    LAW_ENFORCEMENT = "law_enforcement"
    MEDICAL = "medical"
    MILITARY = "military"
    NOT_PARTY_TO_CONFLICT = "not_party_to_conflict"
    OTHER_VESSEL = "other_vessel"
    AIRCRAFT = "aircraft"
    HELICOPTER = "helicopter"
    GLIDER = "glider"
    DRONE = "drone"
    SAR_AIRCRAFT = "sar_aircraft"
    VEHICLE = "vehicle"
    CAR = "car"
    TRUCK = "truck"
    BUS = "bus"
    ARMOURED_VEHICLE = "armoured_vehicle"
    PERSON = "person"
    ANIMAL = "animal"
    BASE_STATION = "base_station"
    ATON = "aton"
    DISTRESS_BEACON = "distress_beacon"


_VESSELS = frozenset(list(Category)[1 : list(Category).index(Category.AIRCRAFT)])

WIDER: dict[Category, frozenset[Category]] = {
    Category.VESSEL: _VESSELS,
    Category.AIRCRAFT: frozenset({Category.HELICOPTER, Category.GLIDER, Category.DRONE, Category.SAR_AIRCRAFT}),
    Category.VEHICLE: frozenset({Category.CAR, Category.TRUCK, Category.BUS, Category.ARMOURED_VEHICLE}),
}
"""The three words that stand for others."""

_BY_SHIP_TYPE: dict[int, Category] = {
    30: Category.FISHING,
    31: Category.TOWING,
    32: Category.TOWING,
    33: Category.DREDGING,
    34: Category.DIVING,
    35: Category.MILITARY,
    36: Category.SAILING,
    37: Category.PLEASURE,
    50: Category.PILOT,
    51: Category.SEARCH_AND_RESCUE,
    52: Category.TUG,
    53: Category.PORT_TENDER,
    54: Category.ANTI_POLLUTION,
    55: Category.LAW_ENFORCEMENT,
    58: Category.MEDICAL,
    59: Category.NOT_PARTY_TO_CONFLICT,
}
_BY_TENS: dict[int, Category] = {
    2: Category.WING_IN_GROUND,
    4: Category.HIGH_SPEED_CRAFT,
    6: Category.PASSENGER,
    7: Category.CARGO,
    8: Category.TANKER,
    9: Category.OTHER_VESSEL,
}

_OTHER_WORDS: dict[str, Category] = {
    "hsc": Category.HIGH_SPEED_CRAFT,
    "wig": Category.WING_IN_GROUND,
    "sar": Category.SEARCH_AND_RESCUE,
    "towing_long/wide": Category.TOWING,
    "anti-pollution": Category.ANTI_POLLUTION,
    "other": Category.OTHER_VESSEL,
    "ship": Category.VESSEL,
    "uav": Category.DRONE,
    "lorry": Category.TRUCK,
}
"""Words that sources use for the same; among them those of the Danish AIS archive."""

UNSAID = frozenset({"", "undefined", "unknown", "not_available", "reserved", "spare_1", "spare_2"})
"""Words with which a source says that it does not know."""


def of_ship_type(code: int) -> Category | None:
    """Return the kind that an AIS ship type declares; None for 0, the reserved codes and those above 99.

    Parameters
    ----------
    code : int
        "Type of ship and cargo type" of messages 5, 19 and 24.

    References
    ----------
    ITU-R M.1371-5 (2014), Annex 8, Table 53. Codes 56 and 57 are for local use and declare nothing.

    Examples
    --------
    >>> str(of_ship_type(30)), str(of_ship_type(74)), of_ship_type(0)
    ('fishing', 'cargo', None)
    """
    return _BY_SHIP_TYPE.get(code) or (_BY_TENS.get(code // 10) if code < 100 else None)


def of_station(mmsi: int) -> Category | None:
    """Return what an MMSI by itself says the sender is, if anything.

    A number of a coast station or an aid to navigation says nothing here: from a ship it is a wrong setting, and
    would hide the ship from the rules about ships. Those stations send messages of their own types.

    Parameters
    ----------
    mmsi : int, 0 to 999999999

    References
    ----------
    ITU-R M.585-9 (2022), Annexes 1 and 2: 111 SAR aircraft, 970 AIS-SART, 972 man overboard, 974 EPIRB-AIS.
    """
    head = mmsi // 1_000_000
    if head == 111:
        return Category.SAR_AIRCRAFT
    return Category.DISTRESS_BEACON if head in (970, 972, 974) else None


def of_word(word: str) -> Category | None:
    """Return the category that a source's word names, whatever its case and spacing; None if no such word is known.

    Examples
    --------
    >>> str(of_word("Law enforcement")), of_word("Undefined")
    ('law_enforcement', None)
    """
    plain = "_".join(word.lower().split())
    try:
        return Category(plain)
    except ValueError:
        return _OTHER_WORDS.get(plain)


def may_be(category: str | None, agreed: Set[str]) -> bool:
    """Return True unless the mover is declared to be of a kind that is not among those agreed.

    A mover that nobody described may be anything, a "vessel" may be a fishing vessel, and a word that is not of
    the list may mean whatever its author meant: all three are watched.

    Parameters
    ----------
    category : str or None
        As declared by the report.
    agreed : set of str
        The agreement's words.

    Examples
    --------
    >>> may_be("cargo", {"fishing"}), may_be("cargo", {"vessel"}), may_be("vessel", {"fishing"}), may_be(None, {"bus"})
    (False, True, True, True)
    """
    if category is None or category in agreed or category not in list(Category):
        return True
    kind = Category(category)
    narrower = WIDER.get(kind, frozenset())
    return any(wide in agreed for wide, kinds in WIDER.items() if kind in kinds) or not narrower.isdisjoint(agreed)


def is_a(category: str | None, agreed: Set[str]) -> bool:
    """Return True if the mover is declared to be of a kind that is among those agreed: what an exemption asks.

    Examples
    --------
    >>> is_a("cargo", {"vessel"}), is_a("vessel", {"fishing"}), is_a(None, {"vessel"})
    (True, False, False)
    """
    return category is not None and (
        category in agreed or any(wide in agreed and category in kinds for wide, kinds in WIDER.items())
    )
