"""The playbook: what the ladder needs of one agreement version, and nothing else of it.

`compile.py` makes it from an agreement; `warn` reads it. A deadline that the agreement declares `not_set`
is None here, and the ladder then says so in the case instead of inventing one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from tocsin.agreement.watchlist import Conduct

MOVER = "mover"
"""Whom a level tells when it tells the one who moves (`vessel`, `aircraft`, `vehicle` in the agreement's own words)."""


class Channel(Struct, frozen=True, kw_only=True):
    """One way of saying something to somebody, as agreed.

    Attributes
    ----------
    channel_id, kind : str
        The agreement's own words; `kind` such as vhf, phone, mail, leaflet, webhook.
    to : frozenset of str
        Party ids that it ends at (`to`, or every party of `between`), or `MOVER`.
    languages : tuple of str
    can_acknowledge : bool
        False where the agreement says `ack: impossible`: silence on it proves nothing.
    backup : str or None
        The channel to use when an attempt on this one fails for good.
    group_within_s : float or None
        Repeats to one recipient that fall due within this time go out together; None: each by itself.
    clause : str
    """

    channel_id: str
    kind: str
    to: frozenset[str]
    languages: tuple[str, ...] = ()
    can_acknowledge: bool = True
    backup: str | None = None
    group_within_s: float | None = None
    clause: str = ""


class ConductTrigger(Struct, frozen=True, kw_only=True):
    """A level begins when the watch finds this.

    Attributes
    ----------
    conduct : Conduct
        `entry` also begins on an event `first_seen_inside` or `crossing` of the same zone.
    zone_id : str
    acts : frozenset of str
        If not empty, only once one of these prohibited acts was found in the zone (`with: [anchor, trawl]`).
    """

    conduct: Conduct
    zone_id: str
    acts: frozenset[str] = frozenset()


class SilenceTrigger(Struct, frozen=True, kw_only=True):
    """A level begins when the acknowledgement of another level did not come in time (`no_ack: 2`)."""

    level: int


class Alternate(Struct, frozen=True, kw_only=True):
    """Another person for somebody told.

    Attributes
    ----------
    of, who : str
        Their answer counts for `of`. Who has no channel of the level is a channel under their own id.
    after_s : float or None
        How long `of` may stay silent first; None: only when no way to `of` is left.
    """

    of: str
    who: str
    after_s: float | None = None


class Relay(Struct, frozen=True, kw_only=True):
    """A third party asked to pass a level's words on.

    Attributes
    ----------
    to, by : str
        The one told, and who is asked; what `by` receives, `to` has not.
    within_s : float or None
        How soon `by` says that it has passed them on; None where the agreement says not_set.
    """

    to: str
    by: str
    within_s: float | None = None


class Level(Struct, frozen=True, kw_only=True):
    """One rung of the ladder, as agreed.

    Attributes
    ----------
    level : int
        Its number in the agreement, from 1.
    trigger : ConductTrigger or SilenceTrigger
    tell : tuple of str
        Party ids, or `MOVER`.
    channels : tuple of str
        Channel ids, in the agreement's order.
    in_turn : bool
        False: all tried at once. True: the next when the one before failed or was not delivered within `turn_s`.
    turn_s : float or None
        None: the next only when one failed.
    relays : tuple of Relay
    alternates : tuple of Alternate
    text : str or None
        Id in `Playbook.texts`.
    ack_within_s, repeat_every_s : float or None
        None where the agreement says not_set.
    repeat_times : int
    ack_expires_s : float or None
        How long an acknowledgement counts while what it is about stands; None: until it no longer does.
    on_no_ack : str or None
        `next`, or the id of whom to call (such as `duty_officer`); None if not set.
    on_ack : str or None
        `watch`: stay at this level and keep watching; None if not set.
    clause : str
    """

    level: int
    trigger: ConductTrigger | SilenceTrigger
    tell: tuple[str, ...]
    channels: tuple[str, ...]
    text: str | None
    ack_within_s: float | None
    repeat_times: int = 0
    repeat_every_s: float | None = None
    in_turn: bool = False
    turn_s: float | None = None
    relays: tuple[Relay, ...] = ()
    alternates: tuple[Alternate, ...] = ()
    ack_expires_s: float | None = None
    on_no_ack: str | None = None
    on_ack: str | None = None
    clause: str = ""


class StandDown(Struct, frozen=True, kw_only=True):
    """When a case is over and who is told so."""

    conduct: Conduct
    zone_id: str
    tell: tuple[str, ...]
    text: str | None = None
    false_alarm_text: str | None = None


class Playbook(Struct, frozen=True, kw_only=True):
    """The ladder, its channels and its words.

    Attributes
    ----------
    agreement_id : str
    version : int
    levels : sequence of Level
        In order of number.
    channels : mapping of str to Channel
    texts : mapping of str to mapping of str to str
        Text id, then language, then words.
    end_of_ladder : str or None
        The person called when the last level went unanswered; None if not set.
    call_within_s : float or None
        How long that person has to answer; None where it is not set: the call waits for ever.
    call_alternates : tuple of str
        Who is called then, one after the other, or when the call failed.
    stand_down : StandDown or None
    language : str
        Language of a text given without one; the agreement's first authentic language, else "en".
    """

    agreement_id: str
    version: int
    levels: Sequence[Level]
    channels: Mapping[str, Channel]
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    end_of_ladder: str | None = None
    call_within_s: float | None = None
    call_alternates: tuple[str, ...] = ()
    stand_down: StandDown | None = None
    language: str = "en"
