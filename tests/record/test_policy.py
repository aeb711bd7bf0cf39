"""Quorums: who must have cosigned, read and written as C2SP tlog-policy has it."""

from __future__ import annotations

import itertools

import pytest
from tests.record.conftest import make_signer

from tocsin.errors import VerificationError
from tocsin.record.c2sp.note import SignatureType
from tocsin.record.c2sp.policy import Witness, format_policy, parse_policy

LOG = make_signer().vkey
KEYS = [make_signer(f"w{i}.example", SignatureType.COSIGNATURE_ED25519, 40 + i).vkey for i in range(6)]
EXAMPLE = f"""log {LOG}

witness X1 {KEYS[0]}
witness X2 {KEYS[1]} https://x2.example/
\twitness   X3\t{KEYS[2]}
group X-witnesses 2 X1 X2 X3

witness Y1 {KEYS[3]}
witness Y2 {KEYS[4]}
witness Y3 {KEYS[5]}
group Y-witnesses any Y1 Y2 Y3
# the specification's example
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def test_the_specifications_example_over_every_subset_of_witnesses() -> None:
    policy = parse_policy(EXAMPLE)
    for chosen in itertools.product([False, True], repeat=6):
        cosigned = {key for key, is_in in zip(KEYS, chosen, strict=True) if is_in}
        assert policy.is_met(cosigned) is (sum(chosen[:3]) >= 2 and any(chosen[3:]))
    assert [w.url for w in policy.witnesses if w.url] == ["https://x2.example/"]


@pytest.mark.parametrize("needed", [0, 1, 2, 3])
def test_k_of_n_written_and_read_back(needed: int) -> None:
    witnesses = [Witness(name=f"w{i}", vkey=KEYS[i]) for i in range(3)]
    policy = parse_policy(format_policy(LOG, witnesses, needed))
    assert policy.witnesses == tuple(witnesses)
    for count in range(4):
        assert policy.is_met(KEYS[:count]) is (count >= needed)
    assert policy.words == (f"{needed} of w0, w1, w2" if needed else "none")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("quorum nobody", "line 3"),
        ("quorum none\nquorum none", "2 quorum lines"),
        ("", "0 quorum lines"),
        ("witness none K1\nquorum none", "taken"),
        ("witness a K0\nquorum none", "stands here already"),
        ("witness a LOG\nquorum none", "ED25519"),
        ("group g 2 w\nquorum g", "threshold"),
        ("group g 0 w\nquorum g", "threshold"),
        ("group g 01 w\nquorum g", "threshold"),
        ("group g 1 w w\nquorum g", "distinct"),
        ("group g any later\nquorum g", "defined above"),
        ("group g any g\nquorum g", "defined above"),
        ("group w any w\nquorum w", "taken"),
        ("group g any\nquorum none", "line 3"),
        ("surprise\nquorum none", "line 3"),
        ("quorum none\x0b", "control"),
    ],
)
def test_a_policy_that_says_nothing_clear_is_refused(line: str, said: str) -> None:
    text = f"log LOG\nwitness w K0\n{line}\n".replace("K0", str(KEYS[0])).replace("K1", str(KEYS[1]))
    with pytest.raises(VerificationError, match=said):
        parse_policy(text.replace("LOG", str(LOG)))


def test_one_underlying_key_counts_once() -> None:
    """Two witnesses with one key would let one party make up a quorum of two."""
    same = make_signer("other.example", SignatureType.COSIGNATURE_ED25519, 40).vkey
    with pytest.raises(VerificationError, match="stands here already"):
        format_policy(LOG, [Witness(name="a", vkey=KEYS[0]), Witness(name="b", vkey=same)], 2)
