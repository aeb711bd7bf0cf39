"""Where a track may be in a while, and with what chance."""
