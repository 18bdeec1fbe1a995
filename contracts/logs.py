"""One log format for every program: `2026-11-22T10:00:00.123Z INFO program.module message`, on standard error."""

import logging
import time


def configure_logging(level: str) -> None:
    """Send everything at `level` and above to standard error, one line a record (tracebacks aside)."""
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
