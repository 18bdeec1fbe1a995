"""What a handler may ask for by naming a parameter; `control.app` says where each comes from.

Handlers import these, queries and services the plain types.
"""

from typing import TypeAlias

from litestar.di import NamedDependency

from contracts.settings import ControlSettings
from control import access, database, resources
from control.audit import recording

Connection: TypeAlias = NamedDependency[database.Connection]
"""`connection`: one transaction, committed before the answer is sent; it sees the organization of the path alone."""
AcrossTenants: TypeAlias = NamedDependency[database.Connection]
"""`across_tenants`: the same for the few handlers whose path names no organization; it sees them all."""
Database: TypeAlias = NamedDependency[database.Database]
"""`database`: for handlers that do slow work between transactions of their own; it sees the organization of the path alone."""
Resources: TypeAlias = NamedDependency[resources.Resources]
"""`resources`: everything opened at start."""
Settings: TypeAlias = NamedDependency[ControlSettings]
"""`settings`."""
Principal: TypeAlias = NamedDependency[access.Principal]
"""`principal`: who calls."""
Member: TypeAlias = NamedDependency[access.Member]
"""`member`: who calls, in the organization of the path."""
Tenant: TypeAlias = NamedDependency[access.Tenant]
"""`tenant`: who calls, in the project of the path."""
Origin: TypeAlias = NamedDependency[recording.Origin]
"""`origin`: where the call comes from, for the audit log."""
Who: TypeAlias = NamedDependency[recording.Who]
"""`who`: who calls, where and from where, for the audit log."""
