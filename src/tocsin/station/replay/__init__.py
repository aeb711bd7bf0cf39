"""The replayed station: an agreement and recorded tracks, from reports to the record in one pass."""
