"""The station: the composition root, and the only wiring in the house; replayed (`replay`) or live."""
