"""Weights that others trained, found by name and checksum on this machine, never downloaded.

Looked for in this order: the file given, the folder ``OSTEOSERVE_WEIGHTS``, Keras's own cache
(``~/.keras/models``), ``../shared/weights`` while developing, and last the shipped artefact, whose
untouched layers hold the same values in half precision.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final


class WeightsError(ValueError):
    """A weights file is missing or not the one it should be."""


@dataclass(frozen=True)
class Source:
    """``checksums``: file name → the digests (``sha256:…``, ``md5:…``) that are allowed."""

    title: str
    licence: str
    checksums: dict[str, tuple[str, ...]]


VGG16: Final = Source(
    title="VGG16, ImageNet, without top (Keras Applications)",
    licence="CC BY 4.0 (Visual Geometry Group, University of Oxford)",
    checksums={
        # Keras publishes MD5 for its files; the same weights in another container have their own.
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5": (
            "md5:6d6bbae143d832006294945121d1f1fc",
        ),
        "vgg16_imagenet_notop.h5": (
            "sha256:722e845906946f37e7a510b7bc498c9f1acc5628a551dedaf2f7191708137337",
        ),
    },
)

RESNET50: Final = Source(
    title="ResNet-50, ImageNet, without top (Keras Applications)",
    licence="MIT (Kaiming He)",
    checksums={
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5": (
            "md5:4d473c1dd8becc155b73f8504c6f6626",
        ),
    },
)

RESNET56: Final = Source(
    title="ResNet-56, CIFAR-10 (Yerlan Idelbayev)",
    licence="BSD-2-Clause",
    checksums={
        "resnet56_cifar10.npz": (
            "sha256:f222bdf1125caa30541208723397bf1b29cd1c875c2fb8e2afd36d6a2c2e0161",
        ),
    },
)


def find(source: Source, given: Path | None = None) -> Path | None:
    """Return the weights file of ``source``, or None where this machine has none.

    Raises :class:`WeightsError` when a file is ``given`` and is not one of the known ones, or when
    a file of the right name has another content.
    """
    if given is not None:
        _check(source, given, sum(source.checksums.values(), ()))
        return given
    for folder in _folders():
        for name, allowed in source.checksums.items():
            path = folder / name
            if path.is_file():
                _check(source, path, allowed)
                return path
    return None


def require(source: Source, given: Path | None = None) -> Path:
    """Return what :func:`find` finds. Raises :class:`WeightsError` when there is nothing."""
    path = find(source, given)
    if path is None:
        raise WeightsError(
            f"{source.title} is not on this machine; name the file with --weights: "
            f"{', '.join(source.checksums)}"
        )
    return path


def _folders() -> Iterator[Path]:
    if named := os.environ.get("OSTEOSERVE_WEIGHTS"):
        yield Path(named)
    yield Path.home() / ".keras" / "models"
    yield Path(__file__).parents[3] / "shared" / "weights"


def _check(source: Source, path: Path, allowed: tuple[str, ...]) -> None:
    if not path.is_file():
        raise WeightsError(f"no weights file at {path}")
    data = path.read_bytes()
    digests = {
        f"sha256:{hashlib.sha256(data).hexdigest()}",
        f"md5:{hashlib.md5(data, usedforsecurity=False).hexdigest()}",
    }
    if digests.isdisjoint(allowed):
        raise WeightsError(
            f"{path.name} is not {source.title}: its checksum is none of {', '.join(allowed)}"
        )
