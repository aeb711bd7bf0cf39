"""French."""

from __future__ import annotations

from tocsin.agreement.notices.words import Receipt
from tocsin.warn.states import Purpose
from tocsin.warn.templates.phrases import Phrases
from tocsin.watch.event import EventKind

FRENCH = Phrases(
    language="fr",
    right_to_left=False,
    heads={
        Purpose.WARNING: "Avertissement",
        Purpose.CALL: "Appel",
        Purpose.STAND_DOWN: "Fin d'alerte",
        Purpose.CORRECTION: "Rectification",
    },
    plain={
        Purpose.WARNING: "Ceci est un avertissement au titre de l'accord cité ci-dessous.",
        Purpose.CALL: "Vous êtes appelé parce que l'échelle est à sa fin. "
        "La suite, ce sont des personnes qui la décident.",
        Purpose.STAND_DOWN: "L'affaire ci-dessous est close.",
        Purpose.CORRECTION: "Un avertissement antérieur était une erreur : des relevés ultérieurs montrent que cela "
        "ne s'est pas passé ainsi.",
    },
    withheld="(Les mots convenus sont retenus : ils allaient au-delà d'un avertissement. Les faits :)",
    what={
        EventKind.FIRST_SEEN_INSIDE: "vu pour la première fois dans la zone {zone}",
        EventKind.ENTRY: "entré dans la zone {zone}",
        EventKind.EXIT: "sorti de la zone {zone}",
        EventKind.CROSSING: "a traversé la zone {zone} entre deux relevés",
        EventKind.APPROACH: "s'il continue ainsi, il entre dans la zone {zone}",
        EventKind.APPROACH_ENDED: "ne se dirige plus vers la zone {zone}",
        EventKind.LOITER: "lent dans la zone {zone}",
        EventKind.STOPPED: "immobile dans la zone {zone}",
        EventKind.PROBING: "plusieurs allers-retours jusqu'à la zone {zone}",
        EventKind.GAP: "aucun relevé, le dernier près de la zone {zone}",
        EventKind.GAP_ENDED: "de nouveau des relevés, près de la zone {zone}",
        EventKind.PROXIMITY: "proche d'un mobile d'une autre partie, près de la zone {zone}",
        EventKind.BUILDUP: "l'un de plusieurs mobiles rassemblés près de la zone {zone}",
        EventKind.ZONE_BEGAN: "la zone {zone} est entrée en vigueur autour de lui",
        EventKind.ZONE_ENDED: "la zone {zone} a pris fin autour de lui",
        EventKind.ZONE_CHANGED: "la zone {zone} a été redessinée, sur lui ou loin de lui",
        EventKind.DWELL: "dans la zone {zone} depuis la durée convenue",
        EventKind.VOID: "a quitté la zone {zone}, qui en compte désormais moins que convenu",
    },
    labels={
        "what": "Quoi",
        "who": "Qui",
        "when": "Quand",
        "where": "Où",
        "agreement": "Accord",
        "case": "Cas",
        "last_seen": "Vu en dernier",
        "time_to_entry_s": "Entre dans",
        "distance_m": "Distance au bord",
        "speed_mps": "Vitesse",
        "dwell_s": "Depuis",
        "gap_s": "Silence depuis",
    },
    agreement="{id}, version {version}",
    case="{code}, niveau {level}",
    within="à",
    compass=("N", "S", "E", "O"),
    no_answer_needed="Aucune réponse n'est nécessaire.",
    answer_on="Pour répondre : dites sur {channel} que vous avez reçu ceci, en citant {code}. "
    "Cela ne signifie rien de plus.",
    answer_on_other="On ne peut pas répondre ici. {channels} joint {whom} : dites-y que ceci a été reçu, "
    "en citant {code}.",
    no_answer="On ne peut pas répondre à ceci.",
    you="vous",
    either=" ou ",
    mover="le mobile",
    pass_on="Vous êtes prié de transmettre ceci à {whom} et de dire quand c'est fait."
    " Votre réception n'est pas la leur.",
    link="Pour confirmer la réception, ouvrez {url} et appuyez sur le bouton. Cela ne signifie rien de plus.",
    overdue="Notification {notice} : une confirmation est en retard",
    owed={
        Receipt.RECEIVED: "Personne n'a dit qu'elle a été reçue ; cela devait l'être avant {due}.",
        Receipt.PASSED_ON: "Personne n'a dit qu'elle a été transmise à {unit} ; cela devait l'être avant {due}.",
        Receipt.READ: "Personne n'a dit que {unit} l'a lue ; cela devait l'être avant {due}.",
    },
    this_is="ici {station}",
    said_again="je répète",
    digits=("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    decimal="virgule",
)
