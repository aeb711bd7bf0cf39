"""Which zones hold a place, which edges a way crosses, how far a boundary is."""
