"""The software boundary: words that order, aim or authorise force, and so may stand in no warning.

Implements the promise that Tocsin tells people and orders nothing (WRN-08): checked in the agreement by the linter, and
in every rendered message before it leaves. A word list is a net, not a reader: it catches the imperative and the
authorisation in the languages below; a person still reads the texts.
"""

from __future__ import annotations

import re

FORCE_WORDS = (
    "open fire", "opening fire", "fire on", "fire at", "fire upon", "return fire", "cleared to fire", "weapons free",
    "weapons hot", "weapons release", "warning shot", "warning shots", "shoot", "shooting", "shoot down", "shot down",
    "kill", "killed", "destroy", "destroyed", "engage", "engaged", "engagement", "strike", "striking", "airstrike",
    "air strike", "attack", "attacked", "bomb", "bombed", "neutralise", "neutralize", "eliminate", "target", "targets",
    "targeted", "targeting", "lethal", "deadly force", "use of force", "use force", "using force", "authorised to use",
    "authorized to use", "hostile intent", "rules of engagement", "sink you", "sink it", "ram you", "aim at",
    "aiming at", "lock on", "interdict",
)  # fmt: skip
"""English."""

FORCE_WORDS_OTHER = (
    "огонь по", "открыть огонь", "стрелять", "уничтожить", "уничтожим", "атаковать", "поразить", "цель",
    "سنطلق النار", "إطلاق النار", "أطلق النار", "سندمر", "تدمير", "قصف", "هجوم", "استهداف", "هدف",
    "abrir fuego", "disparar", "destruir", "atacar", "objetivo militar", "fuerza letal",
    "ouvrir le feu", "tirer sur", "détruire", "attaquer", "ateş aç", "ateş açılacak", "vurulacak", "imha",
    "开火", "射击", "摧毁", "攻击", "打击", "击沉",
)  # fmt: skip
"""Russian, Arabic, Spanish, French, Turkish, Chinese."""

PEACEFUL = ("cease-fire", "ceasefire", "fire fighting", "not a target", "no target")
"""Phrases that hold such a word and mean the opposite."""

_UNSPACED = re.compile(r"[\u4e00-\u9fff]")
_PATTERNS = {
    word: re.compile(re.escape(word) if _UNSPACED.search(word) else rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
    for word in (*FORCE_WORDS, *FORCE_WORDS_OTHER)
}
_PEACEFUL = re.compile("|".join(re.escape(phrase) for phrase in PEACEFUL), re.IGNORECASE)


def boundary_words(text: str) -> list[str]:
    """Return the words of force in a text, in the order of the list; empty when there are none.

    Parameters
    ----------
    text : str
        A rendered message, the name of a level or channel.

    Examples
    --------
    >>> boundary_words("You are over a protected cable, move clear")
    []
    >>> boundary_words("Turn back or we OPEN FIRE")
    ['open fire']
    """
    cleared = _PEACEFUL.sub(" ", text.replace("_", " "))
    return [word for word, pattern in _PATTERNS.items() if pattern.search(cleared)]
