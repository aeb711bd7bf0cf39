"""Rehearsal: warnings judged against what the tracks then did, by the definitions of docs/guide/warnings.md (P9)."""
