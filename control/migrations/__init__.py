"""The database schema: Alembic revisions in plain SQL, applied under an advisory lock."""
