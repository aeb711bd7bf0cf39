"""The fixed words of a message, one file a language: what, who, where, when, how to answer (WRN-05, WRN-08).

Facts only. Every language says the same things by the same fields (`phrases.py`); a test holds all of them against the
lists of events, purposes and measures, and against the words of force. They need a native reader's check before they
are used (docs/guide/channels.md). Names and numbers are never translated.
"""

from __future__ import annotations

from collections.abc import Iterable

from tocsin.warn.templates.ar import ARABIC
from tocsin.warn.templates.en import ENGLISH
from tocsin.warn.templates.es import SPANISH
from tocsin.warn.templates.fr import FRENCH
from tocsin.warn.templates.phrases import Phrases
from tocsin.warn.templates.ru import RUSSIAN

PHRASES: dict[str, Phrases] = {found.language: found for found in (ENGLISH, FRENCH, SPANISH, RUSSIAN, ARABIC)}
"""By language tag (BCP 47, primary subtag)."""

FALLBACK = "en"
"""Language of the facts where none of those asked for is here."""


def phrases_for(languages: Iterable[str], *, otherwise: str = FALLBACK) -> tuple[Phrases, ...]:
    """Return the fixed words in each of these languages that is here, in their order; at least one.

    Parameters
    ----------
    languages : iterable of str
        Language tags; `es-MX` is read as `es`.
    otherwise : str
        The language used if none of them is here; English if that is not here either.

    Examples
    --------
    >>> [found.language for found in phrases_for(["es-MX", "zh", "en"])], phrases_for(["zh"])[0].language
    (['es', 'en'], 'en')
    """
    tags = dict.fromkeys(tag.partition("-")[0].lower() for tag in languages)
    found = tuple(PHRASES[tag] for tag in tags if tag in PHRASES)
    return found or (PHRASES.get(otherwise.partition("-")[0].lower(), PHRASES[FALLBACK]),)
