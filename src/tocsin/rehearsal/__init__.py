"""Rehearsal: what a draft agreement would have raised over recorded traffic, and whether it would have cried wolf.

`run.py` carries a draft and recorded tracks through the watch and the ladder, sends nothing, and judges each approach
warning by what the track then did (`watch/rehearse`, docs/guide/warning-quality.md). It decides no event and no word.
"""
