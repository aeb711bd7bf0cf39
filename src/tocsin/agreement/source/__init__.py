"""Source: the text of an agreement, and how it is read into records."""
