"""History: for each check, what happened where its mechanism was missing, or who set it well, each with its source.

The same words as its page (docs/findings); what is marked as general knowledge was not read again.
"""

from __future__ import annotations

HISTORY: dict[str, str] = {
    "FMT-01": (
        "Monitors of fishing zones met the like in software: an alert saved half-written, without its criteria, "
        "raised 1,900 alerts in an operations room (MTES-MCT/monitorfish, issue 4795, January 2026)."
    ),
    "PAR-01": (
        "May and June 2017: the force on the road to At Tanf was called pro-regime or pro-government forces, and by "
        "the names of single groups, by different sources (the example agreement keeps such names as aliases of one "
        "party)."
    ),
    "PAR-02": (
        "At Tanf, 2017: one side announced an agreed zone of deconfliction (CENTCOM release 20170518-03), the other "
        "said it did not recognise it (TASS, 7 June 2017)."
    ),
    "PAR-03": (
        "Astana, 4 May 2017: three guarantors signed for areas in which others fought (TASS and Interfax, 4-6 May "
        "2017). At Tanf, 2017: the forces on the road belonged to neither of the two who spoke (S1, S2 of the "
        "example)."
    ),
    "PAR-04": (
        "Khasham, February 2018: the partner at the other end of the hotline said that none of its people were "
        "there, and the column came on (encyclopaedia page on the battle; sources named there)."
    ),
    "PAR-05": (
        "Astana 2017 excluded groups by example; the Idlib memorandum of 17 September 2018 left the list to be "
        "defined later (TASS, 29 September 2018)."
    ),
    "PAR-06": (
        'Hudaydah, December 2018: "local security forces" was left undefined, and one side handed the ports to '
        "itself (Crisis Group, January 2019). The Lebanon text of 27 November 2024 lists the authorised forces "
        "(press and CNA)."
    ),
    "PAR-07": "The guarantors of Astana, 2017, had no duty with a deadline beyond drawing maps (TASS, 6 May 2017).",
    "PAR-08": (
        "INCSEA added non-military ships by its protocol of 1973 (Wikisource). CUES 2014 is voluntary and covers "
        "naval ships and aircraft only (training slides, MMEA)."
    ),
    "GEO-01": (
        "Astana, 4 May 2017: the ban on fighting held from 6 May, the maps were due by 4 June (TASS, 6 May 2017; "
        "Interfax, 4-5 May 2017)."
    ),
    "GEO-02": (
        "A line drawn with a thick pencil on a paper map differs from itself by hundreds of metres. (General "
        "knowledge, not re-read for this page.)"
    ),
    "GEO-03": (
        'Idlib, 17 September 2018: a zone 15-20 km deep (TASS, 29 September 2018). At Tanf, 2017: "about 55 km" '
        "(press, May and June 2017)."
    ),
    "GEO-04": (
        "The Korean armistice of 1953 draws no line at sea (Boundary Study 22); navies clashed around the limit "
        "line from 1999 to 2010. (General knowledge, not re-read for this page.)"
    ),
    "GEO-05": (
        "The inter-Korean agreement of 2018 sets no-fly widths by aircraft type (ROK Defence White Paper 2020). At "
        "Tanf, 2017: no altitude and no classes were published; a drone was shot down on 8 June 2017 (press)."
    ),
    "GEO-06": (
        "At Tanf, 2017: measured from the base, the town or the crossing? No published text says (S1 to S4 of the "
        "example)."
    ),
    "GEO-07": (
        "At Tanf, 2017: the ring, the areas of Astana and the air memorandum of 2015 lay over each other, each with "
        "its own parties (Sputnik, 7 April 2017; DW, 21 October 2015)."
    ),
    "GEO-08": (
        "The camp of Rukban lay inside the ring around At Tanf (press, 2017); nothing public says who might reach "
        "it, and how."
    ),
    "GEO-09": (
        "The Korean line has 1,292 markers (Boundary Study 22); the lines of UNDOF 1974 are marked on the ground "
        "(FRUS 1969-76 v26 d89); the Australian cable zones are charted (ACMA)."
    ),
    "GEO-10": (
        "Minsk, February 2015: the agreed line differed from the real one at Debaltseve (Haug 2016, Security and "
        "Human Rights 27)."
    ),
    "GEO-11": (
        "The ring of 55 km around At Tanf reached into Iraq and Jordan; whether it was meant to is not stated (the "
        "example agreement, from the distances)."
    ),
    "TIM-01": (
        "Published accounts of Astana differ on the day it took effect (TASS, 6 May 2017; Interfax, 4-5 May 2017). "
        "The Lebanon text of 27 November 2024 begins at 04:00 (press)."
    ),
    "TIM-02": (
        "Astana: in force on 6 May 2017, working group within two weeks, maps by 4 June (TASS and Interfax, May 2017)."
    ),
    "TIM-03": (
        "Sudan, Jeddah, May 2023: seven days; the army left the talks on 31 May and the facilitators suspended them "
        "on 1 June (Sudan Tribune, 1 June 2023). UNDOF 1974 is renewed every six months (1974 agreement text)."
    ),
    "TIM-04": (
        "Idlib 2018: heavy weapons out by 10 October, radical groups by 15 October; who removes whom, and who says "
        "it was done, was not set (TASS, 29 September 2018). Hudaydah: 21 days (Crisis Group, January 2019)."
    ),
    "TIM-05": (
        "Sudan, Jeddah, May 2023, had both: 48 hours to instruct the forces, and no advantage to be taken before "
        "the start (i24, 23 May 2023). Most others have neither."
    ),
    "TIM-06": (
        "Daylight saving moves the hour of a window unless it names its zone; in 2022 Syria stopped changing its "
        "clocks. (General knowledge, not re-read for this page.)"
    ),
    "TIM-07": (
        "Minsk, February 2015: elections, border control and withdrawal each waited for the other (Zagorski 2022)."
    ),
    "CON-01": (
        "Hudaydah, December 2018: no definition of breaches, and hundreds of mutual claims (Crisis Group, January "
        "2019; Al-Masdar)."
    ),
    "CON-02": (
        "The inter-Korean agreement of 2018 names permitted flights, with notice, and leaves commercial traffic out "
        "of its bans (Columbia Law School, Korean Legal Studies). At Tanf, 2017, has no such list."
    ),
    "CON-03": (
        "At Tanf, 2017: approach, loitering, build-up and silence of transmitters have no published number (S1 to "
        "S4 of the example)."
    ),
    "CON-04": (
        "Donbas, 2020: claims of engineering works near the line (statements of the Trilateral Contact Group, July "
        "2020)."
    ),
    "CON-05": (
        "UNDOF 1974 has limits in belts of 10, 20 and 25 km (1974 agreement text); Minsk has withdrawal distances "
        "by weapon class (Haug 2016)."
    ),
    "CON-06": (
        "Bans on reconnaissance and drones were added to Minsk only in July 2020 (Trilateral Contact Group, 22-27 "
        "July 2020)."
    ),
    "CON-07": (
        "Lebanon, 27 November 2024: the sides read self-defence differently (press, CNA). Donbas, July 2020: return "
        "fire only after the response mechanism was tried (Trilateral Contact Group)."
    ),
    "CON-08": (
        "INCSEA, by its protocol of 1973, bars simulated attacks and aiming at the other's ships (Wikisource); CUES "
        "2014 has the like (training slides, MMEA)."
    ),
    "NOT-01": (
        "INCSEA gives 3 to 5 days of notice (TIAS 12957; Garant, article VI); the inter-Korean agreement of 2018 "
        "asks for prior notice of flights (ROK Defence White Paper 2020)."
    ),
    "NOT-02": (
        "A notified convoy was struck on 1 April 2024; at least nine earlier cases were reported by aid bodies "
        "(Just Security; AP via Stripes; IPI Global Observatory)."
    ),
    "NOT-03": (
        "Humanitarian notification insists on this: it is no tool to approve or deny a movement (IPI Global "
        "Observatory, January 2019; The New Humanitarian)."
    ),
    "NOT-04": "Notification systems in Yemen took 48 hours, 24 in an emergency (OCHA, Yemen procedures of 2021).",
    "NOT-05": (
        "The convoy of 1 April 2024 had been notified and was struck (Washington Post, 6 April 2024). An aid office "
        "named the crews that must all know: drone operator, tank, checkpoint and sniper (BBC, April 2024)."
    ),
    "NOT-06": (
        "Of 182 notified sites in Syria, 27 were hit between April and December 2019 (New York Times, 29 December "
        "2019)."
    ),
    "WRN-01": (
        "The inter-Korean agreement of 2018 has five steps on land and sea and four in the air (ROK Defence White "
        'Paper 2020). At Tanf, 2017: "numerous ways" (CENTCOM release 20170518-03).'
    ),
    "WRN-02": (
        "At Tanf, 2017: calls went to Russia on the deconfliction line; those on the road got leaflets (CENTCOM "
        "release 20170518-03; press, 5-7 June 2017)."
    ),
    "WRN-03": "At Tanf, 2017: each known step had one channel, a voice line or leaflets (the example agreement).",
    "WRN-04": "At Tanf, 2017: none of this is known for any step (S1 to S4 of the example).",
    "WRN-05": "INCSEA has a table of signals with fixed meanings (INCSEA protocol of 1973; CUES training slides).",
    "WRN-06": "At Tanf, 2017: 55 km at 60 km/h is 55 minutes; leaflets do not fit into it (reckoned in the example).",
    "WRN-07": (
        "Helmsmen switch off the alarms of a chart plotter that come again and again (OpenCPN/OpenCPN, issue 4872, "
        "November 2025)."
    ),
    "WRN-08": (
        "At Tanf, 18 May 2017: a show of force and warning shots came before a strike (CENTCOM release "
        "20170518-03). The example records them as claims and gives software nothing to do."
    ),
    "WRN-09": (
        "Daily calls kept the line over Syria alive (press reports, 5-7 June 2017); most channels have no drill "
        "that is known."
    ),
    "VER-01": (
        "Karabakh, 1994-2020: the line was self-regulated and without peacekeepers (CivilNet 2014; Azatutyun 2011)."
    ),
    "VER-02": (
        "The monitors in Ukraine were restricted again and again and could not verify the withdrawal (Haug 2016; "
        "Zagorski 2022)."
    ),
    "VER-03": "UNDOF 1974: at least every 15 days, and on request of a side (FRUS 1969-76 v26 d89).",
    "VER-04": "Minsk: withdrawals could not be verified for want of baseline inventories (Haug 2016).",
    "VER-05": "UNIDIR lists twelve such considerations for the technology of monitoring (Grand-Clement 2022).",
    "VER-06": "UNDOF reports to the parties (1974 agreement text).",
    "VER-07": "Karabakh: visits were announced, and found nothing while violations rose (TASS 2016; Massispost 2015).",
    "INC-01": (
        "18 May 2017: the Coalition, the Syrian state, rebels and the press gave different forces, distances and "
        "counts (CENTCOM, Rudaw, Sputnik)."
    ),
    "INC-02": (
        "Karabakh: an investigation mechanism was proposed in 2011 and 2016 and never put in place (Azatutyun 2011; "
        "TASS 2016)."
    ),
    "INC-03": "Fixed periods for holding evidence are rare. (General knowledge, not re-read for this page.)",
    "INC-04": (
        'At Tanf, 2017: who was in the column was "not clear" (press, May and June 2017). The UN inquiry of 2020 '
        "used graded probability and was blamed for naming nobody (S/2020/278)."
    ),
    "INC-05": (
        "Donbas, July 2020: return fire only after the response mechanism did not work (Trilateral Contact Group, "
        "22-27 July 2020)."
    ),
    "INC-06": (
        "After at least nine strikes on notified sites and convoys no follow-up was owed and no data were shared "
        "(Just Security; AP via Stripes, April 2024)."
    ),
    "INC-07": "18 May 2017: rival claims on the same day (Rudaw and Orient-news, 18 May 2017).",
    "DIS-01": "Hudaydah, December 2018: a committee without a rule for deciding (Crisis Group, January 2019).",
    "DIS-02": "Evenly split commissions are common in ceasefires. (General knowledge, not re-read for this page.)",
    "DIS-03": (
        "Donbas, July 2020, added a duty of discipline with notice; Minsk before had none; Jeddah 2023 had none "
        "(Trilateral Contact Group; Sudan Tribune, June 2023)."
    ),
    "DIS-04": "Lebanon, 27 November 2024: a side letter that is not public (press).",
    "COM-01": "Syria, 2015-2017: one voice line, called once a day (DW, 21 October 2015).",
    "COM-02": "7 April 2017: Russia suspended the air memorandum of 2015 after a strike (Sputnik, 7 April 2017).",
    "COM-03": (
        "Jeddah, May 2023: 48 hours to instruct the forces (i24, 23 May 2023). Donbas: the orders were published on "
        "26 July 2020 (Interfax-Ukraine)."
    ),
    "COM-04": (
        "The air memorandum of 20 October 2015 was never released; its safe distance is not known (DW, 21 October "
        "2015)."
    ),
    "AMD-01": (
        "Versions of one text that differ are common in practice. (General knowledge, not re-read for this page.)"
    ),
    "AMD-02": "Astana 2017 left maps and working groups to be made (TASS, 6 May 2017).",
    "AMD-03": "INCSEA is reviewed every year (TIAS 12957).",
    "AMD-04": "INCSEA, protocol of 1973: both texts equally authentic (Wikisource).",
    "EXT-01": (
        "7 April 2017: the air memorandum was suspended the same day (Sputnik, 7 April 2017). The inter-Korean "
        "agreement was suspended in parts in 2023 and wholly in 2024. (General knowledge, not re-read for this "
        "page.)"
    ),
    "EXT-02": (
        "Channels and data that outlive their agreement are rare. (General knowledge, not re-read for this page.)"
    ),
    "EXT-03": "Jeddah, 2023: an extension ran out while talks were suspended (Sudan Tribune, 1 and 6 June 2023).",
    "REC-01": "None of the cases read for this list had a shared record.",
    "REC-02": (
        "Data meant for one mission were broadcast to everybody on a server (dfpc-coe/CloudTAK, issue 1160, "
        "December 2025)."
    ),
}
"""What history says of every check, in a sentence or two, with the source in brackets."""
