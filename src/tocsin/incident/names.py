"""Names: which words mean the same actor, because a person said so. Nothing is ever merged on likeness.

An alias group is one actor with its preferred name and alternates (SKOS prefLabel and altLabel). "Do not merge" is as
storable as "same as", and "part of" is a relation, never an alias: a coalition is not its member. Two texts match when
they are equal after normalising case, width, punctuation, possessive and a leading "the"; containment never counts. It
does not transliterate.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import Struct

_APOSTROPHES = re.compile("['’ʼ`]s\\b")
_NOT_WORD = re.compile(r"[^\w]+")


class AliasGroup(Struct, frozen=True, kw_only=True):
    """One actor and the names it goes by.

    Attributes
    ----------
    actor_id, preferred : str
    alternates : tuple of str
    part_of : tuple of str
        Actors that it belongs to or serves. Never an alias.
    """

    actor_id: str
    preferred: str
    alternates: tuple[str, ...] = ()
    part_of: tuple[str, ...] = ()


def normalise_name(text: str) -> str:
    """Return the form in which two spellings of one name are equal.

    Examples
    --------
    >>> normalise_name("The US -led Coalition's") == normalise_name("U.S.-led coalition")
    True
    >>> normalise_name("US-led coalition") == normalise_name("coalition")
    False
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in folded if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    words = [w for w in _NOT_WORD.split(_APOSTROPHES.sub("", plain).replace(".", "")) if w]
    return " ".join(words[1:] if len(words) > 1 and words[0] == "the" else words)


@dataclass(frozen=True, slots=True)
class Names:
    """The alias groups that persons confirmed, and the pairs they said must never be merged.

    Raises
    ------
    ValueError
        If one name stands in two groups, an id stands twice, or a group holds a pair that must not be merged.
    """

    groups: tuple[AliasGroup, ...] = ()
    never_same: frozenset[frozenset[str]] = frozenset()
    _by_name: dict[str, str] = field(init=False, repr=False, compare=False)
    _by_id: dict[str, AliasGroup] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name: dict[str, str] = {}
        by_id: dict[str, AliasGroup] = {}
        for group in self.groups:
            if group.actor_id in by_id:
                raise ValueError(f"actor {group.actor_id!r} stands twice")
            by_id[group.actor_id] = group
            for name in (group.preferred, *group.alternates):
                known = by_name.setdefault(normalise_name(name), group.actor_id)
                if known != group.actor_id:
                    raise ValueError(f"name {name!r} stands in two groups: {known!r} and {group.actor_id!r}")
        object.__setattr__(self, "_by_name", by_name)
        object.__setattr__(self, "_by_id", by_id)
        for pair in self.never_same:
            found = {self.resolve(name) for name in pair}
            if len(pair) == 2 and len(found) == 1 and None not in found:
                raise ValueError(f"{sorted(pair)} must not be merged, but both are names of {found.pop()!r}")

    def resolve(self, text: str) -> str | None:
        """Return the actor whose name this is, or None if no group holds it."""
        return text if text in self._by_id else self._by_name.get(normalise_name(text))

    def holds(self, actor_id: str) -> bool:
        """Return True if a group has this id."""
        return actor_id in self._by_id

    def is_kept_apart(self, a: str, b: str) -> bool:
        """Return True if a person said that these two, ids or names, must never be merged."""
        pair = {self.resolve(a) or normalise_name(a), self.resolve(b) or normalise_name(b)}
        return any({self.resolve(n) or normalise_name(n) for n in kept} == pair for kept in self.never_same)

    def preferred(self, actor_id: str) -> str:
        """Return the preferred name of an actor, or the text itself if no group has it."""
        group = self._by_id.get(actor_id)
        return group.preferred if group else actor_id

    def is_related(self, a: str, b: str) -> bool:
        """Return True if one actor is part of the other, at whatever remove."""
        return b in self._wholes(a) or a in self._wholes(b)

    def joined(self, more: Iterable[AliasGroup]) -> Names:
        """Return these names and those of further groups; a group whose id is known adds its alternates."""
        groups = {group.actor_id: group for group in self.groups}
        for new in more:
            old = groups.get(new.actor_id)
            groups[new.actor_id] = new if old is None else _union(old, new)
        return Names(tuple(groups.values()), self.never_same)

    def _wholes(self, actor_id: str) -> set[str]:
        found: set[str] = set()
        ahead = [actor_id]
        while ahead:
            group = self._by_id.get(ahead.pop())
            new = set(group.part_of) - found if group else set()
            found |= new
            ahead.extend(new)
        return found


def _union(old: AliasGroup, new: AliasGroup) -> AliasGroup:
    alternates = dict.fromkeys((*old.alternates, new.preferred, *new.alternates))
    return AliasGroup(
        actor_id=old.actor_id,
        preferred=old.preferred,
        alternates=tuple(name for name in alternates if name != old.preferred),
        part_of=tuple(dict.fromkeys((*old.part_of, *new.part_of))),
    )
