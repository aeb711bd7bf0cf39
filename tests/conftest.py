"""No example fails for being slow: the machine that runs the suite may be busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("tocsin", deadline=None)
settings.load_profile("tocsin")
