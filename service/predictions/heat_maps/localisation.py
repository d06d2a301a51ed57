"""Whether a model's map may be believed to lie in the spine, as was measured on phantoms."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from models import artifact
from models.artifact import ArtifactError
from models.explanation import location
from models.explanation.location import Location


def located(model: str, version: str) -> Location | None:
    """Return what was measured of ``version`` of ``model``; None where nothing was."""
    root = artifact.artifacts_folder()
    try:
        changed = (root / location.FILE).stat().st_mtime_ns
        found = _read(root, changed).get(model)
    except (OSError, ArtifactError):
        return None
    return found if found is not None and found.version == version else None


@lru_cache(maxsize=2)
def _read(root: Path, _changed: int) -> dict[str, Location]:
    return location.read(root)
