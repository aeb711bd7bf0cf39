"""Arabic."""

from __future__ import annotations

from tocsin.agreement.notices.words import Receipt
from tocsin.warn.states import Purpose
from tocsin.warn.templates.phrases import Phrases
from tocsin.watch.event import EventKind

ARABIC = Phrases(
    language="ar",
    right_to_left=True,
    heads={
        Purpose.WARNING: "تحذير",
        Purpose.CALL: "نداء",
        Purpose.STAND_DOWN: "انتهاء الإنذار",
        Purpose.CORRECTION: "تصحيح",
    },
    plain={
        Purpose.WARNING: "هذا تحذير بموجب الاتفاق المذكور أدناه.",
        Purpose.CALL: "نتصل بكم لأن السلّم بلغ نهايته. ما يحدث الآن يقرره أشخاص.",
        Purpose.STAND_DOWN: "انتهى الأمر المذكور أدناه.",
        Purpose.CORRECTION: "كان تحذير سابق خطأً: تبيّن بيانات لاحقة أن ذلك لم يحدث كما قيل.",
    },
    withheld="(حُجبت الكلمات المتفق عليها لأنها تجاوزت التحذير. الوقائع:)",
    what={
        EventKind.FIRST_SEEN_INSIDE: "شوهد لأول مرة داخل المنطقة {zone}",
        EventKind.ENTRY: "دخل المنطقة {zone}",
        EventKind.EXIT: "غادر المنطقة {zone}",
        EventKind.CROSSING: "عبر المنطقة {zone} بين تقريرين",
        EventKind.APPROACH: "إذا استمر هكذا فسيدخل المنطقة {zone}",
        EventKind.APPROACH_ENDED: "لم يعد متجهاً إلى المنطقة {zone}",
        EventKind.LOITER: "بطيء داخل المنطقة {zone}",
        EventKind.STOPPED: "متوقف داخل المنطقة {zone}",
        EventKind.PROBING: "اقترب من المنطقة {zone} وابتعد مرات عدة",
        EventKind.GAP: "لا تقارير، آخرها قرب المنطقة {zone}",
        EventKind.GAP_ENDED: "عادت التقارير، قرب المنطقة {zone}",
        EventKind.PROXIMITY: "قريب من جسم متحرك تابع لطرف آخر، قرب المنطقة {zone}",
        EventKind.BUILDUP: "واحد من عدة أجسام متحركة تجمعت قرب المنطقة {zone}",
        EventKind.ZONE_BEGAN: "بدأ سريان المنطقة {zone} حوله",
        EventKind.ZONE_ENDED: "انتهى سريان المنطقة {zone} حوله",
        EventKind.ZONE_CHANGED: "أُعيد رسم حدود المنطقة {zone} فصار داخلها أو خارجها",
        EventKind.DWELL: "داخل المنطقة {zone} طوال المدة المتفق عليها",
        EventKind.VOID: "غادر المنطقة {zone} التي بقي فيها عدد أقل من المتفق عليه",
    },
    labels={
        "what": "ماذا",
        "who": "من",
        "when": "متى",
        "where": "أين",
        "agreement": "الاتفاق",
        "case": "الحالة",
        "last_seen": "آخر مشاهدة",
        "time_to_entry_s": "يدخل خلال",
        "distance_m": "المسافة إلى الحد",
        "speed_mps": "السرعة",
        "dwell_s": "منذ",
        "gap_s": "صامت منذ",
    },
    agreement="{id}، النسخة {version}",
    case="{code}، الدرجة {level}",
    within="ضمن",
    compass=("N", "S", "E", "W"),
    no_answer_needed="لا حاجة إلى جواب.",
    answer_on="للجواب: قولوا عبر {channel} إنكم استلمتم هذا، مع ذكر {code}. ولا يعني ذلك شيئاً آخر.",
    answer_on_other="لا يمكن الجواب هنا. {channels} يصل إلى {whom}: قولوا هناك إن هذا قد استُلم، مع ذكر {code}.",
    no_answer="لا يمكن الجواب على هذا.",
    you="طرفكم",
    either=" أو ",
    mover="الجسم المتحرك",
    pass_on="يُرجى نقل هذا إلى {whom} والإبلاغ عند القيام بذلك. استلامكم لا يعني أنهم استلموا.",
    link="لتأكيد الاستلام افتحوا {url} واضغطوا الزر. ولا يعني ذلك شيئاً آخر.",
    overdue="الإشعار {notice}: تأكيد متأخر",
    owed={
        Receipt.RECEIVED: "لم يُفِد أحد باستلامه، وكان ذلك مطلوبًا قبل {due}.",
        Receipt.PASSED_ON: "لم يُفِد أحد بإحالته إلى {unit}، وكان ذلك مطلوبًا قبل {due}.",
        Receipt.READ: "لم يُفِد أحد بأن {unit} قرأه، وكان ذلك مطلوبًا قبل {due}.",
    },
    this_is="هنا {station}",
    said_again="أكرر",
    digits=("صفر", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة"),
    decimal="فاصلة",
)
