"""Who is told by which way, and what follows silence: the ladder read off the playbook, without a case.

Implements `tell`, `channels`, `backup`, `on_no_ack` and `end_of_ladder` of the agreement. What the agreement does not
set is answered with a sentence saying so; nothing is invented in its place.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct

from tocsin.agreement.playbook import Level, Playbook, SilenceTrigger
from tocsin.clock import US_PER_S

NEXT = "next"
"""The agreement's own word for the following level, in `on_no_ack`."""


class Follows(StrEnum):
    """What comes after a level that went unanswered or undelivered."""

    LEVEL = "level"
    PERSON = "person"
    NOBODY = "nobody"


class After(Struct, frozen=True, kw_only=True):
    """What follows silence at a level, and why.

    Attributes
    ----------
    follows : Follows
    level : Level or None
    person : str or None
    why : str
        A clause for people, such as "the agreement sets nobody to be told of the silence".
    """

    follows: Follows
    level: Level | None = None
    person: str | None = None
    why: str = ""


def level_of(playbook: Playbook, number: int) -> Level:
    """Return the level of this number.

    Raises
    ------
    KeyError
        If the ladder has no such level.
    """
    for level in playbook.levels:
        if level.level == number:
            return level
    raise KeyError(f"no level {number}")


def ways(playbook: Playbook, level: Level, recipient: str) -> tuple[str, ...]:
    """Return the level's channels that end at the recipient, in the agreement's order; empty if none does."""
    return tuple(name for name in level.channels if _ends_at(playbook, name, recipient))


def backup_way(playbook: Playbook, channel_id: str, recipient: str, *, used: Collection[str]) -> str | None:
    """Return the channel to use after one that failed for good: its backup, if unused and ending at the recipient."""
    channel = playbook.channels.get(channel_id)
    name = channel.backup if channel else None
    if name is None or name in used or not _ends_at(playbook, name, recipient):
        return None
    return name


def can_acknowledge(playbook: Playbook, channel_id: str) -> bool:
    """Return False where the agreement says that nobody can acknowledge on this channel."""
    channel = playbook.channels.get(channel_id)
    return channel is None or channel.can_acknowledge


def after_silence(playbook: Playbook, number: int) -> After:
    """Return what follows when a level went unanswered or undelivered.

    A higher level whose trigger is the silence of this one comes first; then what `on_no_ack` names: the next level, or
    a person. Past the last level comes the person at the end of the ladder. Levels only rise, so this ends.
    """
    level = level_of(playbook, number)
    above = sorted((other for other in playbook.levels if other.level > number), key=lambda other: other.level)
    for other in above:
        if isinstance(other.trigger, SilenceTrigger) and other.trigger.level == number:
            return After(
                follows=Follows.LEVEL, level=other, why=f"level {other.level} begins by the silence of {number}"
            )
    if level.on_no_ack is None:
        return After(
            follows=Follows.NOBODY, why=f"what follows silence at level {number} is not set: nobody is told of it"
        )
    if level.on_no_ack != NEXT:
        return After(follows=Follows.PERSON, person=level.on_no_ack, why=f"{level.on_no_ack} is to be called")
    if above:
        why = f"level {above[0].level} is next; its own conduct was not found"
        return After(follows=Follows.LEVEL, level=above[0], why=why)
    if playbook.end_of_ladder is None:
        return After(follows=Follows.NOBODY, why="nobody is set at the end of the ladder")
    return After(follows=Follows.PERSON, person=playbook.end_of_ladder, why=f"{playbook.end_of_ladder} is to be called")


def not_set(level: Level) -> tuple[str, ...]:
    """Return what a level leaves unset, as clauses for the case: the ladder says so instead of inventing it."""
    found = []
    if level.ack_within_s is None:
        found.append("no deadline is set: nobody will be told of the silence")
    if level.repeat_times and level.repeat_every_s is None:
        found.append("the time between repeats is not set: it is said once")
    if level.in_turn and level.turn_s is None:
        found.append("the time of each channel is not set: the next is used only when one fails")
    found += [f"how soon {relay.by} passes it on is not set" for relay in level.relays if relay.within_s is None]
    if level.text is None:
        found.append("no words are set: the facts alone are sent")
    return tuple(found)


def grouped_us(playbook: Playbook, level: Level, at_us: int) -> int:
    """Return when a repeat is said: with others, at the end of the time in which the level's channels group them."""
    windows = [playbook.channels[name].group_within_s for name in level.channels if name in playbook.channels]
    window_us = round(max([0.0, *(window for window in windows if window is not None)]) * US_PER_S)
    return -(-at_us // window_us) * window_us if window_us else at_us


def _ends_at(playbook: Playbook, channel_id: str, recipient: str) -> bool:
    channel = playbook.channels.get(channel_id)
    return channel is not None and recipient in channel.to
