"""Serve: what people look at."""
