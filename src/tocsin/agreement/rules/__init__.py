"""Rules: the checks of the linter, one module a group; importing this registers them all."""

from tocsin.agreement.rules import amd, com, con, dis, ext, fmt, geo, inc, ntf, par, rec, tim, ver, wrn
from tocsin.agreement.rules.check import REGISTERED, Check

GROUPS = {
    "FMT": "the file",
    "PAR": "parties",
    "GEO": "geography",
    "TIM": "time",
    "CON": "conduct",
    "NOT": "notification",
    "WRN": "warning",
    "VER": "verification",
    "INC": "incidents",
    "DIS": "disputes and sanctions",
    "COM": "communication",
    "AMD": "amendment",
    "EXT": "exit",
    "REC": "record",
}
"""The groups of checks, in the order of the list."""

FILE_GROUP = "FMT"
"""The group of the file itself, which is outside the list of mechanisms."""

CHECKS: dict[str, Check] = {
    code: REGISTERED[code] for group in GROUPS for code in sorted(REGISTERED) if code[:3] == group
}
"""Every check by its code, in the order of the list."""

__all__ = [
    "CHECKS",
    "FILE_GROUP",
    "GROUPS",
    "amd",
    "com",
    "con",
    "dis",
    "ext",
    "fmt",
    "geo",
    "inc",
    "ntf",
    "par",
    "rec",
    "tim",
    "ver",
    "wrn",
]
