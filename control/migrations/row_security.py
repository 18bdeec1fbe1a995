"""Row-level security in migrations: each table with rows of tenants says by one call which of them an organization may use.

A table that no migration opens is closed to organizations altogether. docs/decisions/0018-row-level-security.md tells the whole.
"""

from typing import Final

ALL: Final = "SELECT, INSERT, UPDATE, DELETE"


def open_rows(table: str, own: str, rights: str = ALL) -> tuple[str, ...]:
    """Statements that let an organization use those rows of a new table for which `own` holds, with `rights`.

    `own` is SQL over the table's columns: `organization_id = current_organization()`, or see `by_parent`.
    """
    return (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY own_rows ON {table} TO headrace_tenant USING ({own})",
        f"GRANT {rights} ON {table} TO headrace_tenant",
    )


def close_rows(table: str) -> tuple[str, ...]:
    """Undo `open_rows`, for a table that stays."""
    return (
        f"REVOKE ALL ON {table} FROM headrace_tenant",
        f"DROP POLICY own_rows ON {table}",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    )


def by_parent(table: str, column: str, parent: str) -> str:
    """Rows whose parent the organization may use, by its own policy; one look into the parent's primary key a row."""
    return f"EXISTS (SELECT FROM {parent} WHERE {parent}.id = {table}.{column})"
