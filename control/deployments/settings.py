"""What the settings of a revision must agree in beside what their types say."""

import math
from itertools import pairwise

from contracts.routes import RevisionSettings
from control.deployments.errors import SettingsContradict


def check(settings: RevisionSettings) -> None:
    """Raises SettingsContradict with the two values that cannot both hold."""
    batching, goal_ms = settings.batching, settings.latency_goal_ms
    size, rows, delay_us, timeout_ms = (
        batching.max_batch_size,
        batching.max_queue_rows,
        batching.max_delay_us,
        batching.timeout_ms,
    )
    if size is not None and rows is not None and rows < size:
        raise SettingsContradict(f"max_queue_rows is {rows}, so that a batch of max_batch_size {size} never comes together")
    if delay_us is not None and timeout_ms is not None and delay_us >= timeout_ms * 1000:
        raise SettingsContradict(f"max_delay_us is {delay_us}, so that requests would time out after {timeout_ms} ms unrun")
    if delay_us is not None and goal_ms is not None and delay_us >= goal_ms * 1000:
        raise SettingsContradict(f"max_delay_us is {delay_us}, which leaves nothing of the latency goal of {goal_ms:g} ms")
    if timeout_ms is not None and goal_ms is not None and timeout_ms < goal_ms:
        raise SettingsContradict(f"timeout_ms is {timeout_ms}, less than the latency goal of {goal_ms:g} ms")
    if batching.padding is not None and not math.isfinite(batching.padding.value):
        raise SettingsContradict("padding.value must be a finite number")
    buckets = batching.padding.buckets if batching.padding is not None else ()
    if any(one >= other for one, other in pairwise(buckets)):
        raise SettingsContradict(f"padding.buckets must ascend: {list(buckets)}")
