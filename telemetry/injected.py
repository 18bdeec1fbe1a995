"""What a handler may ask for by naming a parameter; `telemetry.app` says where each comes from."""

from typing import TypeAlias

import redis.asyncio
from litestar.di import NamedDependency

from contracts import tenancy
from telemetry import metrics, store

Tenant: TypeAlias = NamedDependency[tenancy.Tenant]
"""`tenant`: the project whose rows the caller may see, from the signed header."""
Organization: TypeAlias = NamedDependency[tenancy.Tenant]
"""`organization`: the same, of an organization as a whole."""
Store: TypeAlias = NamedDependency[store.Store]
"""`store`."""
Redis: TypeAlias = NamedDependency[redis.asyncio.Redis]
"""`redis`."""
Metrics: TypeAlias = NamedDependency[metrics.Metrics]
"""`metrics`."""
