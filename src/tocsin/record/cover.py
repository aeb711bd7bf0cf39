"""Cover: making it harder to learn from the number and the times of entries what they are about.

Everybody sees of each entry that it is there, its kind, its audience and its time. Under a cover the visible time is
the beginning of a step, and every step is filled up with padding to a multiple, so that a quiet step and a busy one
look alike to whoever is not in the audience. Whoever is gets the padding's payload, which says what it is. A cover does
not hide that a step held more than one multiple; choose it large enough.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from tocsin.record.leaf import Entry, EntryKind

PADDING = {"padding": True}
"""Payload of an entry that stands for nothing."""


class Cover(Struct, frozen=True, kw_only=True):
    """How entries are made to look alike.

    Attributes
    ----------
    step_us : int
        Visible times are whole multiples of this; publish once a step, whether anything happened or not.
    multiple : int
        Entries of a step are filled up to a multiple of this, 0 becoming one multiple.
    kind : EntryKind
        The kind that padding shows; the commonest of the real ones.
    audience : frozenset of str
        The audience that padding shows; likewise.
    """

    step_us: int
    multiple: int
    kind: EntryKind
    audience: frozenset[str]

    def apply(self, entries: Sequence[Entry], *, at_us: int) -> list[Entry]:
        """Return one step's entries under this cover.

        Parameters
        ----------
        entries : sequence of Entry
            What there is to record; the true times belong in the payloads.
        at_us : int
            A time within the step, for the padding; microseconds UTC.

        Examples
        --------
        >>> cover = Cover(
        ...     step_us=60_000_000, multiple=4, kind=EntryKind.EVENT, audience=frozenset({"un"})
        ... )
        >>> [entry.at_us for entry in cover.apply([], at_us=61_000_000)]
        [60000000, 60000000, 60000000, 60000000]
        """
        shown = [replace(entry, at_us=self._begin(entry.at_us)) for entry in entries]
        missing = -len(shown) % self.multiple or (0 if shown else self.multiple)
        padding = Entry(kind=self.kind, at_us=self._begin(at_us), audience=self.audience, payload=PADDING)
        return shown + [padding] * missing

    def _begin(self, at_us: int) -> int:
        return at_us - at_us % self.step_us
