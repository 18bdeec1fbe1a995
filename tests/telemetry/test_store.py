"""Migrations, limits and time-outs of the store."""

import re

from telemetry.migrations import read_migrations


def test_migrations_are_numbered_without_gaps_and_can_be_repeated() -> None:
    found = read_migrations()
    assert [it.version for it in found] == list(range(1, len(found) + 1))
    for migration in found:
        assert migration.statements
        for statement in migration.statements:
            assert re.match(r"(CREATE|ALTER|DROP) .*IF (NOT )?EXISTS ", statement.replace("\n", " "))
