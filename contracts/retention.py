"""How long the requests of organizations are kept: control says it in Redis, telemetry forgets what is older.

The hash `RETENTION_KEY` has a field for each organization that keeps them for less than everybody: its id, and whole days.
`GONE` stands there for one that was removed: nothing of it is kept, its counts neither.
"""

from typing import Final

RETENTION_KEY: Final = "headrace:log-retention"
GONE: Final = 0
