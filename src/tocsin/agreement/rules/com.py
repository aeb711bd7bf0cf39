"""COM: communication. A line between each two sides that has a spare, outlives a crisis, and reaches the ranks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from tocsin.agreement.compile import ALL, MOVER_WORDS
from tocsin.agreement.model import Consent, Party
from tocsin.agreement.rules.check import Gap, Severity, View, check
from tocsin.agreement.rules.par import NON_PARTY
from tocsin.agreement.rules.wrn import channel_ends
from tocsin.agreement.terms.state import Blank, Maybe, State, given
from tocsin.agreement.terms.telling import Channel


@check(
    "COM-01",
    "channel per pair",
    severity=Severity.ERROR,
    keys=("channels", "channels[].between", "channels[].to", "channels[].backup", "channels[].hours"),
    fix="""
channels:
  - {id: line, kind: phone, between: [north, south], hours: always, backup: mobile}
  - {id: mobile, kind: satellite_phone, between: [north, south], hours: always}
""",
)
def per_pair(view: View) -> Iterator[Gap]:
    """Find two sides without a channel between them, or whose channel has no spare or no hours."""
    yield from view.need("channels", "The agreement", "any channel")
    backups = {given(c.backup) for c in view.channels}
    for channel in view.channels:
        yield from _dangling(view, channel)
        if _is_two_way(channel):
            yield from view.need_of(channel, "hours", f"Channel {channel.id}", "its hours")
            if channel.id not in backups:
                yield from view.need_of(channel, "backup", f"Channel {channel.id}", "its backup")
    if not view.channels:
        return
    declared = any(Blank.NOT_SET in (c.between, c.to) for c in view.channels)
    for one, other in combinations([p for p in view.parties if is_principal(p)], 2):
        shared = [c for c in view.channels if _joins(c, one.id, other.id)]
        if not shared and not _same_side(one, other):
            state = State.NOT_SET if declared else State.SILENT
            yield Gap(state, "channels", f"Parties {one.id} and {other.id} share no channel.")
        elif len(shared) == 1:
            backup = view.channel_by_id.get(given(shared[0].backup) or "")
            if backup is not None and not _joins(backup, one.id, other.id):
                message = f"Channel {shared[0].id}: its backup {backup.id} does not join {one.id} and {other.id}."
                yield view.odd(f"{shared[0].path}.backup", message)


@check(
    "COM-02",
    "channel outlives crisis",
    severity=Severity.ERROR,
    keys=("exit", "exit.channels_suspendable", "exit.channels_survive"),
    fix="""
exit: {channels_suspendable: false, channels_survive: P90D}
""",
)
def outlives(view: View) -> Iterator[Gap]:
    """Find channels that one side can suspend, or that end with the agreement."""
    yield from view.need("exit.channels_suspendable", "The exit clause", "whether a channel can be suspended alone")
    yield from view.need("exit.channels_survive", "The exit clause", "how long the channels outlive the agreement")
    told = given(view.agreement.exit)
    if told is not None and given(told.channels_suspendable) is True:
        yield view.odd("exit.channels_suspendable", "Exit: one side can suspend a channel when it is needed most.")


@check(
    "COM-03",
    "orders to the ranks",
    severity=Severity.WARNING,
    keys=("orders", "orders.issued_by", "orders.confirmed_to", "orders.within"),
    fix="""
orders: {issued_by: [north, south], confirmed_to: [joint_desk], within: PT48H}
""",
)
def orders(view: View) -> Iterator[Gap]:
    """Find an agreement that does not say who orders it to the ranks, who is told so, and by when."""
    if given(view.agreement.orders) is None:
        yield from view.need("orders", "The agreement", "the order to the ranks, its confirmation and its deadline")
        return
    for key, what in (
        ("issued_by", "who issues the order to the ranks"),
        ("confirmed_to", "to whom it is confirmed"),
        ("within", "by when"),
    ):
        yield from view.need(f"orders.{key}", "The agreement", what)


@check(
    "COM-04",
    "text reaches those bound",
    severity=Severity.WARNING,
    keys=("record.publish_text",),
    fix="""
record: {publish_text: true}
""",
)
def published(view: View) -> Iterator[Gap]:
    """Find an agreement that does not say whether its text is published to those it binds."""
    yield from view.need("record.publish_text", "The record clause", "whether the text is published to those it binds")


def is_principal(party: Party) -> bool:
    """Return True for a party that stands for itself: neither bound through another nor outside the agreement."""
    told = given(party.consent)
    if given(party.kind) == NON_PARTY:
        return False
    return told is not None and told.state not in (Consent.VIA, Consent.NONE)


def _same_side(one: Party, other: Party) -> bool:
    """Return True if one of two parties declared the consent of the other, or speaks for it: they need no line here."""
    for a, b in ((one, other), (other, one)):
        told = given(a.consent)
        if told is not None and given(told.by) == b.id:
            return True
        if b.id in (given(a.speaks_for) or ()):
            return True
    return False


def _joins(channel: Channel, one: str, other: str) -> bool:
    between = given(channel.between)
    if between is not None and one in between and other in between:
        return True
    source, to = given(channel.from_) or (), given(channel.to) or ()
    return (one in source and other in to) or (other in source and one in to)


def _is_two_way(channel: Channel) -> bool:
    """Return True for a channel between parties that can be answered: no leaflet, and none that ends at the mover."""
    ends = channel_ends(channel)
    return bool(ends) and "mover" not in ends and given(channel.ack) != "impossible"


def _dangling(view: View, channel: Channel) -> Iterator[Gap]:
    who = f"Channel {channel.id}"
    if not channel_ends(channel):
        key = "between" if channel.to is None else "to"
        yield from view.need_of(channel, key, who, "whom it reaches")
    beside = MOVER_WORDS | {ALL}
    for key, names in (("from", channel.from_), ("to", channel.to), ("between", channel.between)):
        for name in _names(names):
            if name not in beside and not view.knows_party(name):
                yield view.odd(f"{channel.path}.{key}", f"{who}: {key} names {name}, which is no party.")
    backup = given(channel.backup)
    if backup is not None and backup not in view.channel_by_id:
        yield view.odd(f"{channel.path}.backup", f"{who}: its backup {backup} is not among the channels.")
    elif backup == channel.id:
        yield view.odd(f"{channel.path}.backup", f"{who} is its own backup.")


def _names(told: Maybe[tuple[str, ...]]) -> tuple[str, ...]:
    return given(told) or ()
