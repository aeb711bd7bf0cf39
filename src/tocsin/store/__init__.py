"""The store: one durable database, SQLite by default and PostgreSQL by URL, written by one process at a time."""
