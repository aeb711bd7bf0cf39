"""Feeds: live sources of position reports, one transport a file; what their bytes say, `tracks/formats` reads."""
