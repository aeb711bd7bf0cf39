"""Answers as channels bring them: tokens, delivery notices, replies. Each is a claim; none of them is leave.

Pure: bytes and the time in, an `Answer` or a refusal with its name out. What an answer does to a case is decided in
`heard.py`, which gives double and late ones their end. Forged, expired and misdirected ones end here, each with its
reason, and are kept by whoever calls.
"""
