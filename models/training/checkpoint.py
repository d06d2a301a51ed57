"""What a training run has finished, kept so that a killed run goes on where it was.

A fold, once scored, is never trained again; a fold that was cut short is trained from its start, so
that a resumed run ends with the figures of one that was never killed.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models import networks
from models.files import replace
from models.image import recipe
from models.inference.bone import Bone
from models.inference.forest import FILE as FOREST_FILE
from models.inference.forest import Forest
from models.networks import weights
from models.training.trainer import Fitted

PARTS: Final = "parts"
SOURCES: Final = Path(__file__).parents[1]
CONFIG_FILE: Final = "config.json"
WEIGHTS_FILE: Final = "weights.safetensors"
BONE_FILE: Final = "bone.json"


def run_key(digest: str, settings: dict[str, Any]) -> str:
    """Return 12 hex digits that stand for the data, the settings and the code that trains.

    Another code may train otherwise: its run starts anew rather than mix with an older one.
    """
    sources = sorted(p for p in SOURCES.rglob("*.py") if "commands" not in p.parts)
    code = hashlib.sha256(b"".join(hashlib.sha256(p.read_bytes()).digest() for p in sources))
    facts = [
        digest,
        recipe.NAME,
        code.hexdigest(),
        json.dumps(settings, sort_keys=True, default=str),
    ]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]


class Checkpoint:
    """``folder`` is the run's own; ``None`` keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else folder / PARTS
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def finished(self) -> tuple[str, ...]:
        """The names of the parts that need not be done again."""
        if self._folder is None or not self._folder.is_dir():
            return ()
        return tuple(sorted(path.stem for path in self._folder.iterdir() if path.name[0] != "."))

    def scores(self, part: str) -> NDArray[np.float64] | None:
        """Return the logits that :meth:`keep_scores` kept, None where the part is not done."""
        path = self._path(f"{part}.npy")
        return None if path is None else np.load(path, allow_pickle=False)

    def keep_scores(self, part: str, logits: NDArray[np.float64]) -> None:
        if self._folder is not None:
            buffer = io.BytesIO()
            np.save(buffer, logits, allow_pickle=False)
            replace(self._folder / f"{part}.npy", buffer.getvalue())

    def fitted(self, part: str) -> Fitted | None:
        """Return the trained model that :meth:`keep_fitted` kept, None where it is not done."""
        path = self._path(part)
        if path is None:
            return None
        config = json.loads((path / CONFIG_FILE).read_text(encoding="utf-8"))
        network = networks.build(config)
        weights.from_bytes(network, (path / WEIGHTS_FILE).read_bytes())
        forest, bone = path / FOREST_FILE, path / BONE_FILE
        return Fitted(
            config,
            network,
            Forest.from_bytes(forest.read_bytes()) if forest.exists() else None,
            Bone.from_manifest(json.loads(bone.read_bytes())) if bone.exists() else None,
        )

    def keep_fitted(self, part: str, fitted: Fitted) -> None:
        if self._folder is None:
            return
        draft = self._folder / f".{part}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        (draft / CONFIG_FILE).write_text(json.dumps(fitted.config), encoding="utf-8")
        (draft / WEIGHTS_FILE).write_bytes(weights.to_bytes(fitted.network, half=False))
        if fitted.forest is not None:
            (draft / FOREST_FILE).write_bytes(fitted.forest.to_bytes())
        if fitted.bone is not None:
            (draft / BONE_FILE).write_text(json.dumps(fitted.bone.manifest()), encoding="utf-8")
        draft.rename(self._folder / part)

    def clear(self) -> None:
        """Forget all parts: the run is over, and the same command trains anew."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, name: str) -> Path | None:
        if self._folder is None:
            return None
        path = self._folder / name
        return path if path.exists() else None
