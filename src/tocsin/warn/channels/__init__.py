"""Channels: the ways a message can leave, one file each, behind one small protocol.

The agreement names its channels (`vhf16`, `desk_phone`); the deployment says in `channels.yaml` by which transport each
is reached (`config.py`). A channel that the deployment does not name goes to the default, a file: nothing is lost.
"""
