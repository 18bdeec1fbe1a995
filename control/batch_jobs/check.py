"""Whether an input file can be predicted at all: asked before a job is made of it."""

from pathlib import Path
from typing import Final

from control.batch_jobs.errors import InputRefused
from control.batch_jobs.layout import lay_out
from control.batch_jobs.orders import Checked, CheckOrder
from control.batch_jobs.reading import open_source

MAX_REASON: Final = 2000
"""Characters: names of columns come from outside."""


def check(order: CheckOrder) -> Checked:
    """Read the file's columns and first rows, and count the rows."""
    try:
        source = open_source(Path(order.path), order.format)
        if next(source.blocks(), None) is None:
            return Checked("the file has no rows")
        lay_out(order.inputs, order.metadata, source.columns)
        return Checked(rows=source.count_rows())
    except InputRefused as error:
        return Checked(str(error)[:MAX_REASON])
    except MemoryError:
        return Checked(f"reading the file takes more than {order.memory_bytes >> 20} MiB of memory")
