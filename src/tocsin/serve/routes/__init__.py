"""Routes: one subject a file; each takes what it needs from the `Desk` that `app.py` made."""
