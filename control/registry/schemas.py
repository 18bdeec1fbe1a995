"""What the registry's routes take and give."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from contracts.signature import Tensor
from control.fields import Description, Name


class NewModel(Struct, frozen=True, forbid_unknown_fields=True):
    """A model to create; its name must be new in the project."""

    name: Name
    description: Description = ""


class ModelVersion(Struct, frozen=True):
    """One uploaded file and what inspection found in it. A version never changes."""

    id: UUID
    model_id: UUID
    model_name: str
    number: int
    """Counts from 1 within the model."""
    file_name: str
    digest: str
    """SHA-256 of the file, in hex."""
    size_bytes: int
    created_at: datetime
    created_by: str
    """Name of the person who uploaded it; empty if the account is gone."""
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    opset: int
    ir_version: int
    producer: str
    parameters: int
    """Number of weights."""
    nodes: int
    metadata: dict[str, str]
    """The file's own key-value metadata."""


class DeployedVersion(Struct, frozen=True):
    """A deployment that serves one of a model's versions now."""

    id: UUID
    name: str
    version: int


class Model(Struct, frozen=True):
    """A model: a line of versions under one name."""

    id: UUID
    project_id: UUID
    name: str
    description: str
    created_at: datetime
    versions: int
    latest_version: ModelVersion | None
    deployments: list[DeployedVersion]


class ModelPage(Struct, frozen=True):
    """Models, newest first."""

    items: list[Model]
    next_cursor: UUID | None


class ModelVersionPage(Struct, frozen=True):
    """Versions of a model, newest first."""

    items: list[ModelVersion]
    next_cursor: UUID | None
