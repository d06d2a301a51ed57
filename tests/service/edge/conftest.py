from __future__ import annotations

import pytest

from models.artifact import FOLDER
from service.edge.models import Models


@pytest.fixture(scope="session")
def models() -> Models:
    return Models(FOLDER)
