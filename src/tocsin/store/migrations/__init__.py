"""Migrations of the store, by Alembic: one file a version, forward only."""
