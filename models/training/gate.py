"""Fit the gate: spine DXA against other radiographs, and against what is no radiograph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from safetensors.numpy import save
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from models import artifact, gate, phantom, recipe
from models.artifact import Artifact
from models.dataset import IMAGE_SUFFIXES, Dataset, DatasetError
from models.gate import Gate
from models.reading import read
from models.recipe import SIDE
from models.scan import Scan
from models.training.augmentation import Augmentation

STRENGTH: Final = 1e-3
"""scikit-learn's C: 1764 features, hundreds of images."""

REFUSED_TARGET: Final = 0.02
"""At most this share of true DXA images is refused in grouped cross-validation."""

VIEWS: Final = 4
PHANTOMS: Final = 200
INVENTED: Final = 60

Image8 = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Examples:
    """``kinds`` says where an image comes from; ``groups`` keeps versions of one together."""

    images: list[Image8]
    spine: list[bool]
    kinds: list[str]
    groups: list[str]

    def add(self, image: Image8, kind: str, group: str, *, spine: bool) -> None:
        self.images.append(image)
        self.spine.append(spine)
        self.kinds.append(kind)
        self.groups.append(group)


def train(data: Dataset, others: Path, root: Path, seed: int, provenance: str) -> Artifact:
    """Fit on ``data`` against every image below ``others``; write and return the artefact.

    Each sub-folder of ``others`` is a kind of its own in the report.
    """
    examples = _examples(data, others, np.random.default_rng(seed))
    x = np.stack([gate.features(image) for image in examples.images])
    spine, kinds = np.array(examples.spine), np.array(examples.kinds)
    score = np.full(len(x), np.nan)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    for on, held_out in folds.split(x, kinds, examples.groups):
        fitted = _fit(x[on], spine[on])
        score[held_out] = x[held_out] @ fitted.weights + fitted.intercept
    threshold = _threshold(score[kinds == "dxa"], score[~spine & (kinds != UPSIDE_DOWN)])
    whole = _fit(x, spine)
    manifest = {
        "intercept": whole.intercept,
        "threshold": threshold,
        "refused": {
            str(kind): float((score[kinds == kind] < threshold).mean()) for kind in np.unique(kinds)
        },
        "data": {
            "provenance": provenance,
            "digest": data.digest,
            "counts": {str(kind): int((kinds == kind).sum()) for kind in np.unique(kinds)},
            "seed": seed,
        },
    }
    files = {gate.WEIGHTS_FILE: save({"weights": whole.weights}), "card.md": _card(manifest)}
    return artifact.write(root, "gate", manifest, files)


def _threshold(true: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the middle between the two sides where they part, else what passes enough true ones.

    The middle, because other scanners differ from these images more than these among themselves.
    Scans upside down are left out: they part least, and must not push the threshold into the rest.
    """
    lowest = float(np.quantile(true, REFUSED_TARGET))
    highest = float(np.quantile(other, 1 - REFUSED_TARGET))
    return min(lowest, (lowest + highest) / 2)


def _fit(x: NDArray[np.float32], spine: NDArray[np.bool_]) -> Gate:
    spread = x.std(0) + 0.05
    line = LogisticRegression(C=STRENGTH, max_iter=2000, class_weight="balanced")
    line.fit(x / spread, spine)
    return Gate((line.coef_[0] / spread).astype(np.float32), float(line.intercept_[0]), 0.0)


def _examples(data: Dataset, others: Path, rng: np.random.Generator) -> Examples:
    examples = Examples([], [], [], [])
    augmentation = Augmentation(shift=0.08, zoom=0.15)
    for image, group in zip(data.images, data.groups, strict=True):
        examples.add(image, "dxa", group, spine=True)
        for _ in range(VIEWS):
            examples.add(augmentation.apply(image, rng), "dxa, moved", group, spine=True)
        for kind, change in SPOILED.items():
            examples.add(change(image), kind, group, spine=False)
    for number in range(PHANTOMS):
        image = recipe.prepare(phantom.draw(rng).scan)
        examples.add(image, "phantom", f"phantom-{number}", spine=True)
    found = sorted(p for p in others.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise DatasetError(f"no images below {others}; expected a sub-folder for each kind")
    for path in found:
        image = recipe.prepare(read(path.read_bytes()))
        examples.add(image, path.parent.name, path.name, spine=False)
        moved = augmentation.apply(image, rng)
        examples.add(moved, f"{path.parent.name}, moved", path.name, spine=False)
    for kind, invent in INVENTIONS.items():
        for number in range(INVENTED):
            image = recipe.prepare(Scan(invent(rng), 8, "png"))
            examples.add(image, kind, f"{kind}-{number}", spine=False)
    return examples


UPSIDE_DOWN: Final = "dxa, upside down"

SPOILED: Final[Mapping[str, Callable[[Image8], Image8]]] = {
    "dxa, inverted": lambda image: np.asarray(255 - image),
    UPSIDE_DOWN: lambda image: image[::-1],
    "dxa, on its side": lambda image: np.rot90(image).copy(),
}
"""True scans, shown as no scanner shows them."""


def _noise(rng: np.random.Generator) -> Image8:
    return rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)


def _blobs(rng: np.random.Generator) -> Image8:
    """Return smooth shapes of any size, as a photograph out of focus has them."""
    coarse = rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    blurred = Image.fromarray(coarse).filter(ImageFilter.GaussianBlur(rng.uniform(4, 30)))
    levels = np.asarray(blurred, np.float32)
    blobs: Image8 = (255 * (levels - levels.min()) / max(np.ptp(levels), 1.0)).astype(np.uint8)
    return blobs


def _page(rng: np.random.Generator) -> Image8:
    """Return lines of text, dark on white or white on dark."""
    page = Image.new("L", (SIDE, SIDE), 255)
    draw = ImageDraw.Draw(page)
    step = int(rng.integers(9, 20))
    for top in range(int(rng.integers(2, 16)), SIDE, step):
        letters = rng.integers(97, 123, int(rng.integers(5, 40))).astype(np.uint8)
        text = "".join(chr(c) if rng.random() > 0.15 else " " for c in letters)
        draw.text((int(rng.integers(2, 30)), top), text, fill=0)
    image = np.asarray(page)
    return image if rng.random() < 0.7 else 255 - image


def _scene(rng: np.random.Generator) -> Image8:
    """Return overlapping rectangles and ellipses over a gradient."""
    top_level, bottom_level = (int(level) for level in rng.integers(0, 256, 2))
    ramp = np.linspace(top_level, bottom_level, SIDE)
    scene = Image.fromarray(np.broadcast_to(ramp[:, None], (SIDE, SIDE)).astype(np.uint8))
    draw = ImageDraw.Draw(scene)
    for _ in range(int(rng.integers(3, 14))):
        left, top = rng.integers(-40, SIDE, 2)
        width, height = rng.integers(15, 160, 2)
        shape = draw.rectangle if rng.random() < 0.5 else draw.ellipse
        box = [int(left), int(top), int(left + width), int(top + height)]
        shape(box, fill=int(rng.integers(0, 256)))
    image = np.asarray(scene, np.float32) + rng.normal(0, rng.uniform(1, 12), (SIDE, SIDE))
    return np.clip(image, 0, 255).astype(np.uint8)


INVENTIONS: Final[Mapping[str, Callable[[np.random.Generator], Image8]]] = {
    "noise": _noise,
    "blobs": _blobs,
    "text": _page,
    "scene": _scene,
}
"""What else gets uploaded by mistake, drawn rather than collected."""


def _card(manifest: Mapping[str, Any]) -> bytes:
    rows = [
        f"| {kind} | {manifest['data']['counts'][kind]} | {share:.1%} |"
        for kind, share in manifest["refused"].items()
    ]
    lines = [
        "# Gate: is it an AP lumbar spine DXA image?",
        "",
        "Research use only. Logistic regression on oriented gradients and brightness of 14×14 "
        "cells. It tells other body parts, pages and pictures from spine scans; it does not judge "
        "whether a spine scan is well positioned or free of artefacts.",
        "",
        manifest["data"]["provenance"],
        "",
        "Five-fold cross-validation by group:",
        "",
        "| kind | images | refused |",
        "|---|---|---|",
        *rows,
        "",
        "Only these kinds were looked at. Scans without drawn L1–L4 lines, of other scanners, or "
        "of lateral spine were not at hand.",
        "",
    ]
    return "\n".join(lines).encode()
