"""Russian."""

from __future__ import annotations

from tocsin.agreement.notices.words import Receipt
from tocsin.warn.states import Purpose
from tocsin.warn.templates.phrases import Phrases
from tocsin.watch.event import EventKind

RUSSIAN = Phrases(
    language="ru",
    right_to_left=False,
    heads={
        Purpose.WARNING: "Предупреждение",
        Purpose.CALL: "Вызов",
        Purpose.STAND_DOWN: "Отбой",
        Purpose.CORRECTION: "Исправление",
    },
    plain={
        Purpose.WARNING: "Это предупреждение по соглашению, названному ниже.",
        Purpose.CALL: "Вас вызывают, потому что все ступени пройдены. Что делать дальше, решают люди.",
        Purpose.STAND_DOWN: "Дело, указанное ниже, закончено.",
        Purpose.CORRECTION: "Прежнее предупреждение было ошибкой: поздние данные показали, что этого так не было.",
    },
    withheld="(Согласованные слова не передаются: они выходят за рамки предупреждения. Факты:)",
    what={
        EventKind.FIRST_SEEN_INSIDE: "впервые замечен внутри зоны {zone}",
        EventKind.ENTRY: "вошёл в зону {zone}",
        EventKind.EXIT: "вышел из зоны {zone}",
        EventKind.CROSSING: "пересёк зону {zone} между двумя сообщениями",
        EventKind.APPROACH: "если движение не изменится, войдёт в зону {zone}",
        EventKind.APPROACH_ENDED: "больше не движется к зоне {zone}",
        EventKind.LOITER: "медленно движется внутри зоны {zone}",
        EventKind.STOPPED: "стоит внутри зоны {zone}",
        EventKind.PROBING: "несколько раз подходил к зоне {zone} и уходил",
        EventKind.GAP: "нет сообщений, последнее у зоны {zone}",
        EventKind.GAP_ENDED: "снова есть сообщения, у зоны {zone}",
        EventKind.PROXIMITY: "рядом с объектом другой стороны, у зоны {zone}",
        EventKind.BUILDUP: "один из нескольких объектов, собравшихся у зоны {zone}",
        EventKind.ZONE_BEGAN: "зона {zone} вступила в силу вокруг него",
        EventKind.ZONE_ENDED: "зона {zone} вокруг него перестала действовать",
        EventKind.ZONE_CHANGED: "границы зоны {zone} изменены: теперь он внутри неё или вне её",
        EventKind.DWELL: "находится внутри зоны {zone} в течение согласованного времени",
        EventKind.VOID: "покинул зону {zone}, в которой теперь меньше объектов, чем согласовано",
    },
    labels={
        "what": "Что",
        "who": "Кто",
        "when": "Когда",
        "where": "Где",
        "agreement": "Соглашение",
        "case": "Дело",
        "last_seen": "Замечен последний раз",
        "time_to_entry_s": "Войдёт через",
        "distance_m": "Расстояние до границы",
        "speed_mps": "Скорость",
        "dwell_s": "В течение",
        "gap_s": "Молчит",
    },
    agreement="{id}, версия {version}",
    case="{code}, ступень {level}",
    within="с точностью",
    compass=("N", "S", "E", "W"),
    no_answer_needed="Ответ не нужен.",
    answer_on="Чтобы ответить: сообщите по {channel}, что вы это получили, назвав {code}. "
    "Это не означает ничего больше.",
    answer_on_other="Здесь ответить нельзя. Для ответа ({whom}) есть {channels}: сообщите там, что это получено, "
    "назвав {code}.",
    no_answer="Ответить на это нельзя.",
    you="вам",
    either=" или ",
    mover="движущийся объект",
    pass_on="Просим передать это: {whom}, и сообщить, когда передали. Ваше получение не означает, что получили они.",
    link="Чтобы подтвердить получение, откройте {url} и нажмите кнопку. Это не означает ничего больше.",
    overdue="Уведомление {notice}: подтверждение не поступило в срок",
    owed={
        Receipt.RECEIVED: "Никто не сообщил, что оно получено; сообщить следовало до {due}.",
        Receipt.PASSED_ON: "Никто не сообщил, что оно передано ({unit}); сообщить следовало до {due}.",
        Receipt.READ: "Никто не сообщил, что его прочитали ({unit}); сообщить следовало до {due}.",
    },
    this_is="я {station}",
    said_again="повторяю",
    digits=("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"),
    decimal="запятая",
)
