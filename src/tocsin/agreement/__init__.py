"""Agreement: what was agreed, what is not set, and what the rest of the house needs of it."""
