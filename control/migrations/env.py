"""Run by Alembic: everything in one transaction, under a lock, on the connection that `control.migrate` opened."""

from typing import Final

from alembic import context

ADVISORY_LOCK: Final = 7_216_403_911
"""Any constant: two processes that migrate at once go one after the other."""

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.execute(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
    context.run_migrations()
