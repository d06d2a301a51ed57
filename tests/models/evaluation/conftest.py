from __future__ import annotations

import pytest

from models.evaluation.schema import Evaluation
from tests.models.evaluation import invented


@pytest.fixture(scope="package")
def evaluation() -> Evaluation:
    return invented.evaluated()
