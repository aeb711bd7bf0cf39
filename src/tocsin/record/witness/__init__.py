"""Witnesses: other parties' memory of a log, without which the holder of its key could rewrite everything.

C2SP tlog-witness, both sides: `protocol.py` decides, `keeper.py` remembers, `server.py` answers, `client.py` asks.
Over the standard library's HTTP server on purpose: a party's node needs `cryptography` and nothing else.
"""
