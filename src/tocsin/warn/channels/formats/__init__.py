"""Formats: a message as bytes, one file a format. Pure: a message in, bytes or sentences out; nothing is sent here."""
