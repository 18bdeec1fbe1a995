"""Models to predict with, loaded without a gateway around them."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from gateway.predict.calls import Form
from serving.models import Model, load_model
from tests.gateway.predict.predicting import Loaded

Load = Callable[..., Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Generator[Load]:
    """Makes and loads a model: `load(sum_model, width=3)`."""
    models: list[Model] = []

    def make(build: Callable[..., Path], *arguments: object, **keywords: object) -> Loaded:
        path = build(tmp_path / f"{len(models)}.onnx", *arguments, **keywords)
        models.append(load_model(path, name="m", version="3", tuning_budget_s=0.01))
        return models[-1], Form(models[-1])

    yield make
    for model in models:
        model.close()
