"""Witnesses of a station's log: the agreement's terms as a trust policy, and its checkpoints on their way round.

Joins `agreement/custody.py`, which knows no record, to `record/witness/`, which knows no agreement. A live station
calls `open_cosigning` once before it appends, and `Cosigning.tick` whenever it has published; warnings never wait.
"""

from __future__ import annotations

from tocsin.agreement.custody import Custody
from tocsin.errors import RecordError
from tocsin.record.c2sp.note import parse_vkey
from tocsin.record.c2sp.policy import parse_policy
from tocsin.record.log import Log
from tocsin.record.verifier.verify import LOG_VKEY
from tocsin.record.witness.cosigning import Cosigning
from tocsin.record.witness.naming import name_witnesses, policy_in_force
from tocsin.station.core.agreed_witnesses import policy_text


def open_cosigning(log: Log, custody: Custody, now_us: int) -> Cosigning:
    """Ask the witnesses whether this folder is the log they know, name them in it, and return what goes on asking.

    Asks the policy in force before anything is appended, so that an old copy of a log never becomes a second history.
    Takes up to ten seconds if witnesses are down; that they are is in the status, and stops nothing.

    Parameters
    ----------
    log : Log
        Open.
    custody : Custody
    now_us : int
        Microseconds UTC.

    Raises
    ------
    RecordError
        If the log's key is none of the agreement's `log_keys`, or a witness remembers another history.
    """
    vkey = (log.read(LOG_VKEY) or b"").decode().strip()
    if custody.log_keys and vkey not in custody.log_keys:
        raise RecordError(f"found a log of key {vkey}, expected one of the agreement's: {', '.join(custody.log_keys)}")
    text = policy_text(custody, parse_vkey(vkey))
    before = Cosigning(log, policy_in_force(log) or parse_policy(text))
    before.require_not_behind(now_us)
    policy = name_witnesses(log, text, at_us=now_us)
    log.publish()
    return Cosigning(log, policy)
