"""The record: an append-only log that parties who do not trust each other can each verify.

Files as C2SP lays them out (tlog-tiles, signed-note, tlog-checkpoint, tlog-cosignature, tlog-witness,
tlog-proof, tlog-policy), holding salted commitments, so that everybody can verify what only some may read.
This package imports the ground alone and can be lifted out: `standalone.py` makes its verifier one file.
"""
