"""A folder of phantoms that training reads like one of real scans. Synthetic all the same."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from models.phantom.artefact import Artefact
from models.phantom.drawing import draw
from models.phantom.nuisance import TRAINING, Nuisance
from models.phantom.person import draw_person
from models.phantom.phantom import Phantom
from models.phantom.reference import VERTEBRAE
from models.types import LABELS

MANIFEST = "manifest.csv"
MOST_VIEWS = 3


def write(
    folder: Path,
    count: int,
    seed: int,
    nuisance: Nuisance = TRAINING,
    artefact: Artefact | None = None,
    *,
    overlay: bool | None = None,
    size: tuple[int, int] | None = None,
) -> Path:
    """Write ``count`` images and their truth below ``folder``; return the path of the manifest.

    Classes are balanced by patient: a patient has one to three images, which share a ``group``.
    ``size`` (width, height) stretches every image as some exports do; the truth columns keep to
    the original, the spacing too. The same arguments give the same bytes.
    Raises :class:`FileExistsError` when the folder has a manifest: two sets would mix.
    """
    manifest = folder / MANIFEST
    if manifest.exists():
        raise FileExistsError(f"{folder} has a {MANIFEST}; a new or empty folder is needed")
    for label in LABELS:
        (folder / label).mkdir(parents=True, exist_ok=True)
    rows = []
    for patient, view, phantom in drawn(count, seed, nuisance, artefact, overlay=overlay):
        name = file_name(patient, view, phantom)
        data, (width, height) = png(phantom, size)
        (folder / name).write_bytes(data)
        row = {
            "path": name,
            "label": phantom.label,
            "group": patient,
            "patient": patient,
            "sha256": hashlib.sha256(data).hexdigest(),
            "width": width,
            "height": height,
            "seed": seed,
            "origin": "synthetic",
        }
        rows.append(row | _truth(phantom))
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return manifest


def drawn(
    count: int,
    seed: int,
    nuisance: Nuisance = TRAINING,
    artefact: Artefact | None = None,
    *,
    overlay: bool | None = None,
) -> Iterator[tuple[str, int, Phantom]]:
    """Yield patient, number of the view and phantom: what :func:`write` writes.

    Raises :class:`ValueError` when ``count`` is none.
    """
    if count < 1:
        raise ValueError(f"count is {count}; at least 1 image is needed")
    made = number = 0
    while made < count:
        rng = np.random.default_rng([seed, number])
        person = draw_person(rng, LABELS[number % len(LABELS)], nuisance)
        for view in range(min(int(rng.integers(1, MOST_VIEWS + 1)), count - made)):
            phantom = draw(rng, None, nuisance, artefact, person=person, overlay=overlay)
            yield f"phantom-{seed}-{number:05d}", view, phantom
            made += 1
        number += 1


def file_name(patient: str, view: int, phantom: Phantom) -> str:
    return f"{phantom.label}/{patient}-{view}.png"


def png(phantom: Phantom, size: tuple[int, int] | None = None) -> tuple[bytes, tuple[int, int]]:
    """Return the bytes of a file that says what it is, and the image's width and height."""
    image = Image.fromarray(phantom.image)
    if size is not None:
        image = image.resize(size, Image.Resampling.BICUBIC)
    info = PngInfo()
    info.add_text("Comment", "synthetic phantom, not a patient")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info, compress_level=1)
    return buffer.getvalue(), image.size


def _truth(phantom: Phantom) -> dict[str, str | int]:
    truth: dict[str, str | int] = {
        "sex": phantom.sex,
        "age": phantom.age,
        "vendor": phantom.vendor,
        "bmi": f"{phantom.person.bmi:.1f}",
        "t_score": f"{phantom.t_score:.3f}",
        "measured_t_score": f"{phantom.measured_t_score:.3f}",
        "artefact": phantom.artefact.value,
        "artefact_code": phantom.artefact.code,
        "curvature": f"{phantom.curvature:.2f}",
        "spacing": f"{phantom.spacing:.4f}",
        "overlay": int(phantom.overlay),
    }
    for index, name in enumerate(vertebra.lower() for vertebra in VERTEBRAE):
        truth[f"bmd_{name}"] = f"{phantom.bmd[index]:.4f}"
        truth[f"bmc_{name}"] = f"{phantom.bmc[index]:.3f}"
        truth[f"area_{name}"] = f"{phantom.area[index]:.3f}"
        truth[f"valid_{name}"] = int(phantom.valid[index])
    return truth
