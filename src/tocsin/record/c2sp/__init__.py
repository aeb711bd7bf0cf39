"""C2SP's formats for logs, byte for byte, one specification a module; they know nothing of Tocsin's entries.

RFC 6962 trees (`merkle`), tlog-tiles, signed-note, tlog-checkpoint, tlog-cosignature (`cosign`), tlog-proof and
tlog-policy. No files are opened here: whoever calls hands bytes in, or a way to read them.
"""
