"""The record: an append-only log that parties who do not trust each other can each verify.

Files as C2SP lays them out (tlog-tiles, signed-note, tlog-checkpoint, tlog-cosignature, tlog-witness,
tlog-proof, tlog-policy), holding salted commitments, so that everybody can verify what only some may read.
This package imports the ground alone and can be lifted out: `verifier/standalone.py` makes its verifier one file.

    c2sp/       C2SP's formats, byte for byte
    verifier/   what a party runs on a record
    witness/    what a party's node remembers of a log, and how a log asks for it
    the rest    what the keeper does: entries, payloads, the log, its keys, disclosures
"""
