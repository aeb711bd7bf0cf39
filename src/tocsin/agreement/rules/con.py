"""CON: conduct. What counts as a breach, what does not, and from which number on."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.by_source import after_s_of, conflicts_in
from tocsin.agreement.rulebook import by_sources, missing_numbers, test_rule, threshold_rules
from tocsin.agreement.rules.check import Gap, Severity, View, check
from tocsin.agreement.terms.conduct import ConductTerms
from tocsin.agreement.terms.places import Domain
from tocsin.agreement.terms.state import Blank, State, given
from tocsin.agreement.watchlist import Conduct, Rule
from tocsin.units import format_duration

MEASURED = (Conduct.APPROACH, Conduct.BUILD_UP, Conduct.GAP, Conduct.LOITER)
"""Conduct that is nothing without a number; for an entry the zone's edge is the number."""


MEASURED_IF_NAMED = (Conduct.PROBING, Conduct.PROXIMITY, Conduct.STOPPED, Conduct.DWELL, Conduct.VOID)
"""Conduct that needs a number only if the ladder begins on it."""


@check(
    "CON-01",
    "breaches defined",
    severity=Severity.ERROR,
    keys=("conduct", "conduct.prohibited", "conduct.prohibited[].test", "conduct.prohibited[].test.zone"),
    fix="""
conduct:
  prohibited:
    - {id: enter, what: going into the ring, test: {event: entry, zone: ring}, human_confirms: true}
""",
)
def breaches(view: View) -> Iterator[Gap]:
    """Find an agreement without a closed list of acts, and acts that neither a test nor an observer can tell."""
    yield from view.need("conduct.prohibited", "Conduct", "the list of prohibited acts")
    conduct = given(view.agreement.conduct)
    acts = given(conduct.prohibited) if conduct else None
    if acts == ():
        yield view.odd("conduct.prohibited", "Conduct: the list of prohibited acts is empty.")
    seen: set[str] = set()
    for act in acts or ():
        who = f"Act {act.id}"
        if act.id in seen:
            yield view.odd(act.path, f"{who} stands twice in the list, so no event can name one of them.")
        seen.add(act.id)
        test = given(act.test)
        if test is None:
            if given(act.observer) is None:
                yield from view.need_of(act, "test", who, "the test or the observer that tells it")
            continue
        zone = given(test.zone)
        if zone is None:
            yield from view.need_of(test, "zone", who, "the zone of its test")
        elif not view.knows_zone(zone):
            yield view.odd(f"{test.path}.zone", f"{who}: its test names zone {zone}, which is not there.")


@check(
    "CON-02",
    "permitted acts",
    severity=Severity.ERROR,
    keys=("conduct", "conduct.permitted"),
    fix="""
conduct:
  permitted: [rescue, medical evacuation, fire fighting, repair, commercial traffic in the corridor]
""",
)
def permitted(view: View) -> Iterator[Gap]:
    """Find an agreement without a list of what stays permitted."""
    yield from view.need("conduct.permitted", "Conduct", "the list of permitted acts")


@check(
    "CON-03",
    "thresholds",
    severity=Severity.ERROR,
    keys=(
        "conduct", "conduct.thresholds", "conduct.thresholds.approach", "conduct.thresholds.build_up",
        "conduct.thresholds.approach.predicted_entry_within", "conduct.thresholds.build_up.vessels",
        "conduct.thresholds.build_up.for", "conduct.thresholds.gap.by_source",
    ),
    fix="""
conduct:
  thresholds:
    approach: {predicted_entry_within: 20 min}
    loiter: {for: 1 h, speed_below: 2 kn}
    gap: {after: 20 min}
    build_up: {count: 4, within: 2 km, for: 2 h}
""",
)  # fmt: skip
def thresholds(view: View) -> Iterator[Gap]:
    """Find conduct without the numbers at which it counts, in thresholds or in the test of an act."""
    conduct = given(view.agreement.conduct)
    rules = list(_rules(conduct)) if conduct else []
    complete = {rule.conduct for rule in rules if not missing_numbers(rule)}
    untested = conduct is not None and (
        conduct.prohibited is Blank.NOT_SET or any(a.test is Blank.NOT_SET for a in given(conduct.prohibited) or ())
    )
    named = {given(t.event) for v in view.levels if (t := given(v.trigger))}
    wanted = {*MEASURED, *(c for c in named if c in MEASURED_IF_NAMED)}
    for kind in sorted(c for c in wanted if c not in complete):
        path = f"conduct.thresholds.{kind}"
        half = [rule for rule in rules if rule.conduct is kind]
        if half:
            yield from _half_set(view, half[0])
        else:
            state = view.agreement.state(path)
            state = State.NOT_SET if state is State.SILENT and untested else state
            yield from view.gap(state, path, f"Threshold {kind}", "the numbers at which it counts")
    known = given(conduct.thresholds) if conduct else None
    for rule, zones in threshold_rules(known) if known else ():
        if rule.party is not None and not view.knows_party(rule.party):
            yield view.odd(f"{rule.clause}.party", f"Threshold {rule.conduct}: party {rule.party} is not there.")
        for name in zones or ():
            if not view.knows_zone(name):
                yield view.odd(f"{rule.clause}.zone", f"Threshold {rule.conduct}: zone {name} is not there.")
    yield from _silences(view)


@check(
    "CON-04",
    "works and fortification",
    severity=Severity.WARNING,
    keys=("conduct.works",),
    fix="""
conduct:
  works: {inside: none but road and water, by_notice: true}
""",
)
def works(view: View) -> Iterator[Gap]:
    """Find zones on land in which works are neither an act nor allowed."""
    if any(Domain.LAND in (given(zone.domains) or ()) for zone in view.bound):
        yield from view.need("conduct.works", "Conduct", "whether works and fortification inside are allowed")


@check(
    "CON-05",
    "weapons by distance",
    severity=Severity.WARNING,
    keys=("conduct.weapons",),
    armed_only=True,
    fix="""
conduct:
  weapons: [{class: artillery and rockets, min_distance: 70 km, from: garrison}]
""",
)
def weapons(view: View) -> Iterator[Gap]:
    """Find an agreement without classes of weapons and their distances."""
    yield from view.need("conduct.weapons", "Conduct", "the weapons by class and distance")
    conduct = given(view.agreement.conduct)
    for told in (given(conduct.weapons) if conduct else None) or ():
        yield from view.need_of(told, "min_distance", f"Weapons of class {given(told.class_)}", "their distance")


@check(
    "CON-06",
    "reconnaissance and drones",
    severity=Severity.WARNING,
    keys=("conduct.reconnaissance", "zones[].reconnaissance"),
    armed_only=True,
    fix="""
zones:
  - {id: ring, reconnaissance: by notice to the joint desk only}
""",
)
def reconnaissance(view: View) -> Iterator[Gap]:
    """Find zones of which nothing says whether they may be watched from the air."""
    conduct = given(view.agreement.conduct)
    if conduct is not None and given(conduct.reconnaissance) is not None:
        return
    for zone in view.bound:
        yield from view.need_of(
            zone, "reconnaissance", f"Zone {zone.id}", "whether reconnaissance and drones are allowed"
        )


@check(
    "CON-07",
    "self-defence clause",
    severity=Severity.ERROR,
    keys=("conduct.self_defence",),
    armed_only=True,
    fix="""
conduct:
  self_defence:
    definition: as in the Charter of the United Nations, article 51
    reporting: {to: joint_desk, within: PT1H}
    channel_first: true
""",
)
def self_defence(view: View) -> Iterator[Gap]:
    """Find a self-defence clause without definition, duty to report, or duty to try the channel first."""
    for key, what in (
        ("definition", "what it means"),
        ("reporting", "the duty to report it"),
        ("channel_first", "the duty to try the channel first"),
    ):
        yield from view.need(f"conduct.self_defence.{key}", "The self-defence clause", what)


@check(
    "CON-08",
    "menacing acts",
    severity=Severity.WARNING,
    keys=("conduct.menacing",),
    armed_only=True,
    fix="""
conduct:
  menacing: [aiming, fire-control radar, simulated attack, laser]
""",
)
def menacing(view: View) -> Iterator[Gap]:
    """Find an agreement that does not say which menacing acts are barred."""
    yield from view.need("conduct.menacing", "Conduct", "the list of menacing acts")


def _rules(conduct: ConductTerms) -> Iterator[Rule]:
    for act in given(conduct.prohibited) or ():
        test = given(act.test)
        if test is not None:
            yield test_rule(test)
    told = given(conduct.thresholds)
    if told is not None:
        yield from (rule for rule, _ in threshold_rules(told))


def _silences(view: View) -> Iterator[Gap]:
    """Yield what entries of feeds with a time of their own leave open, and what cannot be meant."""
    for event, told in by_sources(view.agreement):
        yield from (view.odd(path, f"Threshold gap: {wrong}.") for path, wrong in conflicts_in(told, event))
        for entry in given(told) or ():
            feed, after_s, every_s = given(entry.feed), after_s_of(entry), given(entry.every_s)
            if feed is None:
                yield from view.need_of(entry, "feed", "Threshold gap, by source,", "the name of the feed")
            elif after_s is None:
                key = "after" if every_s is None and given(entry.missed) is None else "missed"
                key = "every" if every_s is None and key == "missed" else key
                what = "its number (after; or every, and how many may be missed)"
                yield from view.need_of(entry, key, f"Threshold gap, feed {feed},", what)
            elif every_s is not None and after_s < every_s:
                few = f"silent after {format_duration(after_s)}, expected every {format_duration(every_s)}"
                yield view.odd(entry.path, f"Threshold gap, feed {feed}: {few}, so it is silent between two reports.")


_NUMBER_KEYS = {
    "lookahead_s": ("predicted_entry_within",),
    "after_s": ("for", "after", "window"),
    "radius_m": ("within", "two_vessels_within"),
    "count": ("count", "vessels"),
}
"""The keys that may carry each number of a rule."""


def _half_set(view: View, rule: Rule) -> Iterator[Gap]:
    """Yield the numbers that a threshold or test lacks: at the key that stands there as a blank, else at the first."""
    for number in missing_numbers(rule):
        paths = [f"{rule.clause}.{key}" for key in _NUMBER_KEYS[number]]
        path = next((p for p in paths if view.agreement.document.find(p)[2]), paths[0])
        yield from view.need(path, f"Threshold {rule.conduct}", f"its number ({' or '.join(_NUMBER_KEYS[number])})")
