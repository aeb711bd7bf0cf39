"""The detectors of the watch, and the one pass that runs them all."""
