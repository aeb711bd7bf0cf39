"""Notices: what a party tells the others before it moves or about where it is. A notice informs; it asks nothing."""
