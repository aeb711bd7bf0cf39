"""Rehearsal: warnings judged against what the tracks then did, as docs/guide/warning-quality.md defines (P9)."""
