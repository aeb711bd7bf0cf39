"""Terms: the records of an agreement, one module for each group of sections."""
