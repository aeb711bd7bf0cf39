"""Watch: reports in time order in, events out. Exact, deterministic, without a clock or any input or output."""
