from __future__ import annotations

from pathlib import Path

import pytest

from tests.models import tiny


@pytest.fixture(scope="session")
def tiny_artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a served ensemble of tiny, untrained models."""
    root = tmp_path_factory.mktemp("tiny-artifacts")
    tiny.write(root)
    return root
