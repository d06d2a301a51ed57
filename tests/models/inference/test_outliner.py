"""Where vertebrae lie does not depend on which side is which."""

from __future__ import annotations

import numpy as np
import pytest

from models.inference.base import Outliner


class Leaning:
    """Stands in for a network whose maps depend on which side is which."""

    def __call__(self, frames: np.ndarray) -> list[np.ndarray]:
        across = np.linspace(-1, 1, frames.shape[2], dtype=np.float32)
        maps = frames[..., None].astype(np.float32) * across[None, None, :, None]
        return [np.repeat(maps, 8, axis=-1)]


def test_a_mirrored_frame_is_outlined_as_the_mirror_image(monkeypatch: pytest.MonkeyPatch) -> None:
    outliner = object.__new__(Outliner)
    outliner._network = Leaning()  # its runtime
    monkeypatch.setattr("models.inference.base.outline", lambda maps, _: maps)
    frames = np.random.default_rng(2).integers(0, 256, (2, 224, 224), dtype=np.uint8)

    plain, mirrored = (np.stack(outliner.outline(f)) for f in (frames, frames[:, :, ::-1]))

    assert mirrored[:, :, ::-1] == pytest.approx(plain, abs=1e-3)
