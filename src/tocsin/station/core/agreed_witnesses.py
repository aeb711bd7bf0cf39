"""The witnesses that an agreement names, as the trust policy of a log and as its entry.

Joins `agreement/custody.py`, which knows no record, to the record's formats (C2SP tlog-policy).
"""

from __future__ import annotations

from tocsin.agreement.custody import Custody
from tocsin.record.c2sp.note import Vkey, parse_vkey
from tocsin.record.c2sp.policy import Witness, format_policy
from tocsin.record.leaf import Entry
from tocsin.record.witness.naming import policy_entry


def policy_text(custody: Custody, log: Vkey | None = None) -> str:
    """Return the trust policy that an agreement's witnesses and quorum come to.

    Parameters
    ----------
    custody : Custody
    log : Vkey or None
        The one log it is for; the agreement's `log_keys`, if any, where it is None.

    Raises
    ------
    VerificationError
        If a witness's key is none after all, such as a point that is not on the curve.
    """
    agreed = [Witness(name=one.party, vkey=parse_vkey(one.key), url=one.url) for one in custody.witnesses]
    logs = [parse_vkey(key) for key in custody.log_keys] if log is None else [log]
    return format_policy(logs, agreed, custody.quorum)


def witnesses_entry(custody: Custody, log: Vkey, *, at_us: int) -> Entry:
    """Return the entry with which a log of this key names the agreement's witnesses.

    Parameters
    ----------
    custody : Custody
    log : Vkey
    at_us : int
        Microseconds UTC.
    """
    return policy_entry(policy_text(custody, log), at_us=at_us)
