"""The past of a station: its reports as ticks kept them, hour files of them, and what late ones change."""
