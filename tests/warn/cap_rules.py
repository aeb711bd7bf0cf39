"""CAP 1.2 as a table: what the schema of the standard (OASIS CAP-v1.2, §3.2 and §3.4) demands of a document.

Typed from the standard, not copied from its schema: as strict in order, number, lists of words and patterns, and
stricter where the prose is (names without spaces or commas, references, addresses, circles). `faults` returns
everything that is wrong.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

NAMESPACE = "{urn:oasis:names:tc:emergency:cap:1.2}"
DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-,+]\d\d:\d\d"
ANY = r"(?s).*"
CATEGORY = "Geo|Met|Safety|Security|Rescue|Fire|Health|Env|Transport|Infra|CBRNE|Other"
RESPONSE = "Shelter|Evacuate|Prepare|Execute|Avoid|Monitor|Assess|AllClear|None"

Rule = tuple[str, int, int | None, str]
ALERT: list[Rule] = [
    ("identifier", 1, 1, r"[^\s,<&]+"), ("sender", 1, 1, r"[^\s,<&]+"), ("sent", 1, 1, DATE),
    ("status", 1, 1, "Actual|Exercise|System|Test|Draft"), ("msgType", 1, 1, "Alert|Update|Cancel|Ack|Error"),
    ("source", 0, 1, ANY), ("scope", 1, 1, "Public|Restricted|Private"), ("restriction", 0, 1, ANY),
    ("addresses", 0, 1, ANY), ("code", 0, None, ANY), ("note", 0, 1, ANY), ("references", 0, 1, ANY),
    ("incidents", 0, 1, ANY), ("info", 0, None, ""),
]  # fmt: skip
INFO: list[Rule] = [
    ("language", 0, 1, r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*"), ("category", 1, None, CATEGORY), ("event", 1, 1, ANY),
    ("responseType", 0, None, RESPONSE), ("urgency", 1, 1, "Immediate|Expected|Future|Past|Unknown"),
    ("severity", 1, 1, "Extreme|Severe|Moderate|Minor|Unknown"),
    ("certainty", 1, 1, "Observed|Likely|Possible|Unlikely|Unknown"), ("audience", 0, 1, ANY),
    ("eventCode", 0, None, ""), ("effective", 0, 1, DATE), ("onset", 0, 1, DATE), ("expires", 0, 1, DATE),
    ("senderName", 0, 1, ANY), ("headline", 0, 1, ANY), ("description", 0, 1, ANY), ("instruction", 0, 1, ANY),
    ("web", 0, 1, r"\S+"), ("contact", 0, 1, ANY), ("parameter", 0, None, ""), ("resource", 0, None, ""),
    ("area", 0, None, ""),
]  # fmt: skip
PAIR: list[Rule] = [("valueName", 1, 1, ANY), ("value", 1, 1, ANY)]
AREA: list[Rule] = [
    ("areaDesc", 1, 1, ANY), ("polygon", 0, None, ANY),
    ("circle", 0, None, r"-?\d+(\.\d+)?,-?\d+(\.\d+)? \d+(\.\d+)?"), ("geocode", 0, None, ""),
    ("altitude", 0, 1, r"-?\d+(\.\d+)?"), ("ceiling", 0, 1, r"-?\d+(\.\d+)?"),
]  # fmt: skip
INSIDE = {"info": INFO, "parameter": PAIR, "eventCode": PAIR, "geocode": PAIR, "area": AREA}


def faults(document: bytes) -> list[str]:
    """Return what is wrong with a CAP document, in document order; empty if nothing is."""
    root = ET.fromstring(document)
    if root.tag != f"{NAMESPACE}alert":
        return [f"root {root.tag}"]
    found = _faults(root, ALERT, "alert")
    said = {child.tag.removeprefix(NAMESPACE): child.text or "" for child in root}
    if said.get("msgType") in {"Update", "Cancel", "Ack", "Error"} and not said.get("references"):
        found.append("no references (§3.2.1)")
    if said.get("scope") == "Private" and not said.get("addresses"):
        found.append("no addresses (§3.2.1)")
    if said.get("scope") == "Restricted" and not said.get("restriction"):
        found.append("no restriction (§3.2.1)")
    for reference in said.get("references", "").split():
        if not re.fullmatch(rf"[^\s,<&]+,[^\s,<&]+,{DATE}", reference):
            found.append(f"reference {reference}")
    return found


def _faults(element: ET.Element, rules: list[Rule], where: str) -> list[str]:
    names = [rule[0] for rule in rules]
    tags = [child.tag.removeprefix(NAMESPACE) for child in element]
    found = [f"{where}: {tag} is not of CAP" for tag in tags if tag not in names]
    order = [names.index(tag) for tag in tags if tag in names]
    if order != sorted(order):
        found.append(f"{where}: out of order")
    for name, least, most, pattern in rules:
        count = tags.count(name)
        if count < least or (most is not None and count > most):
            found.append(f"{where}: {count} of {name}")
        for child in element:
            if child.tag == NAMESPACE + name:
                if name in INSIDE:
                    found += _faults(child, INSIDE[name], f"{where}/{name}")
                elif not re.fullmatch(pattern, child.text or ""):
                    found.append(f"{where}/{name}: {child.text!r}")
    return found
