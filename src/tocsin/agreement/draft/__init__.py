"""A first draft of an agreement, asked for question by question (`tocsin init`)."""
