"""The rules of the watch: zones, thresholds and tests of prohibited acts, each with its agreed numbers.

Every zone that is no exemption has `entry`, `exit` and `crossing`. A threshold or test that lacks the number its
conduct needs yields no rule: the watch never guesses one (CON-03 says what is missing).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isnan, nan

from msgspec.structs import replace

from tocsin.agreement.by_source import by_feed_of, conflicts_in
from tocsin.agreement.model import Agreement
from tocsin.agreement.terms.conduct import ActTest, GapOfFeed, Thresholds
from tocsin.agreement.terms.state import Maybe, given
from tocsin.agreement.watchlist import Conduct, Rule
from tocsin.errors import AgreementError, AgreementErrors

ALWAYS_WATCHED = (Conduct.ENTRY, Conduct.EXIT, Conduct.CROSSING)

NEEDS: dict[Conduct, tuple[str, ...]] = {
    Conduct.APPROACH: ("lookahead_s",),
    Conduct.ENTRY: (),
    Conduct.EXIT: (),
    Conduct.CROSSING: (),
    Conduct.LOITER: ("after_s",),
    Conduct.STOPPED: ("after_s",),
    Conduct.GAP: ("after_s",),
    Conduct.PROXIMITY: ("radius_m",),
    Conduct.BUILD_UP: ("count", "after_s"),
    Conduct.PROBING: ("count", "after_s"),
    Conduct.DWELL: ("after_s",),
    Conduct.VOID: ("count", "after_s"),
}
"""The numbers of a `Rule` without which a conduct cannot be watched."""


def rules_of(agreement: Agreement) -> tuple[Rule, ...]:
    """Return the rules of an agreement, in the order of its zones, then conduct.

    Raises
    ------
    AgreementErrors
        For a threshold or test whose zone does not exist, or that says two things of one feed.
    """
    zones = {zone.id: i for i, zone in enumerate(given(agreement.zones) or ())}
    bound = {zone.id: zone for zone in given(agreement.zones) or () if not zone.is_exemption}
    errors = [
        AgreementError(wrong, expected="one time of silence, more than 0, for each feed", place=agreement.where(path))
        for event, told in by_sources(agreement)
        for path, wrong in conflicts_in(told, event)
    ]
    rules = _Rules()
    for name, zone in bound.items():
        for conduct in ALWAYS_WATCHED:
            rules.add(name, Rule(rule_id="", clause=zone.path, conduct=conduct, zone=zones[name]))
    for rule, names, path in (*_tests(agreement), *_thresholds(agreement)):
        for name in _zones_named(agreement, rule, names):
            if name not in zones:
                place = agreement.where(f"{path}.zone")
                errors.append(AgreementError(f"zone {name!r}", expected="the id of a zone", place=place))
            elif not missing_numbers(rule):
                rules.add(name, replace(rule, zone=zones[name]))
    if errors:
        raise AgreementErrors(errors)
    return tuple(sorted(rules.by_id.values(), key=lambda r: r.zone))


def missing_numbers(rule: Rule) -> tuple[str, ...]:
    """Return the fields of a rule that its conduct needs and the agreement does not give."""
    return tuple(need for need in NEEDS[rule.conduct] if isnan(getattr(rule, need)) or getattr(rule, need) == 0)


class _Rules:
    """Rules under ids of their own; one that says what another says already only lends it its act."""

    def __init__(self) -> None:
        self.by_id: dict[str, Rule] = {}
        self.same: dict[str, str] = {}

    def add(self, zone: str, rule: Rule) -> None:
        """Keep a rule under an id made of its zone and its act; one that is there already is not kept twice."""
        substance = _substance(rule)
        twin = self.same.get(substance)
        if twin is not None:
            other = self.by_id[twin]
            if other.act is None and rule.act is not None:
                self.by_id[twin] = other = replace(other, act=rule.act, clause=rule.clause)
            if rule.act in (None, other.act):
                return
        name = rule.act or str(rule.conduct)
        key = f"{zone}/{name}" if f"{zone}/{name}" not in self.by_id else f"{zone}/{name}/{rule.conduct}"
        self.by_id[key] = replace(rule, rule_id=key)
        self.same.setdefault(substance, key)


def _substance(rule: Rule) -> str:
    """Return everything but the names of a rule; as text, since NaN equals nothing."""
    return repr(replace(rule, rule_id="", clause="", act=None))


def _zones_named(agreement: Agreement, rule: Rule, names: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the zones a threshold is about: those it names, else the ladder's for it, else all that bind."""
    if names is not None:
        return names
    bound = [zone.id for zone in given(agreement.zones) or () if not zone.is_exemption]
    if rule.conduct in (Conduct.APPROACH, Conduct.PROBING):
        triggers = [given(level.trigger) for level in given(agreement.ladder) or ()]
        by_ladder = {given(t.zone) for t in triggers if t and given(t.event) is rule.conduct}
        return tuple(name for name in bound if name in by_ladder) or tuple(bound)
    return tuple(bound)


def by_sources(agreement: Agreement) -> Iterator[tuple[Conduct, Maybe[tuple[GapOfFeed, ...]]]]:
    """Yield each list of feeds whose silence has a time of its own: of the threshold, and of the tests of acts."""
    conduct = given(agreement.conduct)
    thresholds = given(conduct.thresholds) if conduct else None
    gap = given(thresholds.gap) if thresholds else None
    if gap is not None:
        yield Conduct.GAP, gap.by_source
    for act in (given(conduct.prohibited) if conduct else None) or ():
        test = given(act.test)
        if test is not None:
            yield test.event, test.by_source


def _tests(agreement: Agreement) -> Iterator[tuple[Rule, tuple[str, ...] | None, str]]:
    """Yield a rule for the test of every prohibited act, the zones it names, and where it stands."""
    conduct = given(agreement.conduct)
    for act in (given(conduct.prohibited) if conduct else None) or ():
        test = given(act.test)
        if test is not None:
            zone = given(test.zone)
            rule = replace(test_rule(test), act=act.id, clause=act.path)
            yield rule, None if zone is None else (zone,), test.path


def test_rule(test: ActTest) -> Rule:
    """Return the rule that a test stands for, of no zone yet."""
    low, high = given(test.speed_between_mps) or (0.0, inf)
    fast, slow = given(test.speed_above_mps), given(test.speed_below_mps)
    return Rule(
        rule_id="",
        clause=test.path,
        conduct=test.event,
        zone=-1,
        after_s=_number(given(test.after_s) if given(test.after_s) is not None else given(test.for_s)),
        lookahead_s=_number(given(test.predicted_entry_within_s)),
        speed_lo_mps=low if fast is None else fast,
        speed_hi_mps=high if slow is None else slow,
        radius_m=_number(given(test.within_m)),
        by_feed=by_feed_of(test.by_source),
        count=given(test.count) or 0,
    )


def _thresholds(agreement: Agreement) -> Iterator[tuple[Rule, tuple[str, ...] | None, str]]:
    conduct = given(agreement.conduct)
    thresholds = given(conduct.thresholds) if conduct else None
    if thresholds is not None:
        for rule, names in threshold_rules(thresholds):
            yield rule, names, rule.clause


def threshold_rules(told: Thresholds) -> Iterator[tuple[Rule, tuple[str, ...] | None]]:
    """Yield the rule of each threshold that is set, of no zone yet, and the zones it names."""

    def rule(conduct: Conduct, path: str, **given_for: float | str | None) -> Rule:
        known = {key: value for key, value in given_for.items() if value is not None}
        return Rule(rule_id="", clause=path, conduct=conduct, zone=-1, **known)  # type: ignore[arg-type]

    if (a := given(told.approach)) is not None:
        yield (
            rule(
                Conduct.APPROACH,
                a.path,
                lookahead_s=given(a.predicted_entry_within_s),
                speed_lo_mps=given(a.speed_above_mps),
                speed_hi_mps=given(a.speed_below_mps),
            ),
            given(a.zone),
        )
    for kind, still in ((Conduct.LOITER, given(told.loiter)), (Conduct.STOPPED, given(told.stopped))):
        if still is not None:
            numbers = {"after_s": given(still.for_s), "speed_hi_mps": given(still.speed_below_mps)}
            yield rule(kind, still.path, **numbers, radius_m=given(still.within_m)), given(still.zone)
    if (d := given(told.dwell)) is not None:
        yield rule(Conduct.DWELL, d.path, after_s=given(d.for_s)), given(d.zone)
    if (g := given(told.gap)) is not None:
        silent = rule(Conduct.GAP, g.path, after_s=given(g.after_s))
        yield replace(silent, by_feed=by_feed_of(g.by_source)), given(g.zone)
    if (p := given(told.proximity)) is not None:
        radius = given(p.two_vessels_within_m)
        near = given(p.within_m) if radius is None else radius
        yield rule(Conduct.PROXIMITY, p.path, radius_m=near, after_s=given(p.for_s)), given(p.zone)
    if (b := given(told.build_up)) is not None:
        count = given(b.vessels) or given(b.count)
        yield (
            rule(Conduct.BUILD_UP, b.path, count=count, radius_m=given(b.within_m), after_s=given(b.for_s)),
            given(b.zone),
        )
    if (v := given(told.void)) is not None:
        count = given(v.vessels) or given(v.count)
        who = {"party": given(v.party), "category": given(v.category)}
        yield rule(Conduct.VOID, v.path, count=count, after_s=given(v.for_s), **who), given(v.zone)
    if (r := given(told.probing)) is not None:
        yield rule(Conduct.PROBING, r.path, count=given(r.count), after_s=given(r.window_s)), given(r.zone)


def _number(value: float | None) -> float:
    return nan if value is None else value
