"""Spanish."""

from __future__ import annotations

from tocsin.agreement.notices.words import Receipt
from tocsin.warn.states import Purpose
from tocsin.warn.templates.phrases import Phrases
from tocsin.watch.event import EventKind

SPANISH = Phrases(
    language="es",
    right_to_left=False,
    heads={
        Purpose.WARNING: "Advertencia",
        Purpose.CALL: "Llamada",
        Purpose.STAND_DOWN: "Fin del aviso",
        Purpose.CORRECTION: "Corrección",
    },
    plain={
        Purpose.WARNING: "Esta es una advertencia conforme al acuerdo que se nombra abajo.",
        Purpose.CALL: "Se le llama porque la escala ha llegado a su fin. Lo que sigue lo deciden personas.",
        Purpose.STAND_DOWN: "El asunto de abajo ha terminado.",
        Purpose.CORRECTION: "Una advertencia anterior fue un error: datos posteriores muestran que no ocurrió así.",
    },
    withheld="(Se retienen las palabras acordadas: iban más allá de una advertencia. Los hechos:)",
    what={
        EventKind.FIRST_SEEN_INSIDE: "visto por primera vez dentro de la zona {zone}",
        EventKind.ENTRY: "entró en la zona {zone}",
        EventKind.EXIT: "salió de la zona {zone}",
        EventKind.CROSSING: "cruzó la zona {zone} entre dos informes",
        EventKind.APPROACH: "si sigue así, entra en la zona {zone}",
        EventKind.APPROACH_ENDED: "ya no va hacia la zona {zone}",
        EventKind.LOITER: "lento dentro de la zona {zone}",
        EventKind.STOPPED: "parado dentro de la zona {zone}",
        EventKind.PROBING: "fue y volvió varias veces hasta la zona {zone}",
        EventKind.GAP: "sin informes, el último junto a la zona {zone}",
        EventKind.GAP_ENDED: "de nuevo hay informes, junto a la zona {zone}",
        EventKind.PROXIMITY: "cerca de un móvil de otra parte, junto a la zona {zone}",
        EventKind.BUILDUP: "uno de varios móviles reunidos junto a la zona {zone}",
        EventKind.ZONE_BEGAN: "la zona {zone} entró en vigor a su alrededor",
        EventKind.ZONE_ENDED: "la zona {zone} terminó a su alrededor",
        EventKind.ZONE_CHANGED: "la zona {zone} se trazó de nuevo, sobre él o lejos de él",
        EventKind.DWELL: "dentro de la zona {zone} durante el tiempo acordado",
        EventKind.VOID: "salió de la zona {zone}, donde ahora hay menos de lo acordado",
    },
    labels={
        "what": "Qué",
        "who": "Quién",
        "when": "Cuándo",
        "where": "Dónde",
        "agreement": "Acuerdo",
        "case": "Caso",
        "last_seen": "Visto por última vez",
        "time_to_entry_s": "Entra en",
        "distance_m": "Distancia al borde",
        "speed_mps": "Velocidad",
        "dwell_s": "Desde hace",
        "gap_s": "En silencio desde hace",
    },
    agreement="{id}, versión {version}",
    case="{code}, nivel {level}",
    within="con un margen de",
    compass=("N", "S", "E", "O"),
    no_answer_needed="No hace falta respuesta.",
    answer_on="Para responder: diga por {channel} que recibió esto, citando {code}. No significa nada más.",
    answer_on_other="Aquí no se puede responder. {channels} llega hasta {whom}: diga ahí que esto se recibió, "
    "citando {code}.",
    no_answer="A esto no se puede responder.",
    you="usted",
    either=" o ",
    mover="el móvil",
    pass_on="Se le pide transmitir esto a {whom} y decir cuándo lo ha hecho."
    " Que usted lo haya recibido no significa que ellos sí.",
    link="Para confirmar la recepción, abra {url} y pulse el botón. No significa nada más.",
    overdue="Notificación {notice}: falta una confirmación",
    owed={
        Receipt.RECEIVED: "Nadie ha dicho que se haya recibido; debía decirse antes de {due}.",
        Receipt.PASSED_ON: "Nadie ha dicho que se haya transmitido a {unit}; debía decirse antes de {due}.",
        Receipt.READ: "Nadie ha dicho que {unit} la haya leído; debía decirse antes de {due}.",
    },
    this_is="aquí {station}",
    said_again="repito",
    digits=("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    decimal="coma",
)
