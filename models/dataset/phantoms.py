"""Phantoms as a dataset, without files. Synthetic: scores on them are no clinical evidence."""

from __future__ import annotations

import hashlib

import numpy as np

from models.dataset import grouping, near_duplicates, preparing
from models.dataset.attributes import COLUMNS
from models.dataset.dataset import SYNTHETIC, Dataset
from models.image import recipe
from models.inference.preparation import Outline
from models.phantom import TRAINING, Artefact, Nuisance, Phantom, drawn, file_name, png


def phantoms(
    count: int,
    seed: int,
    nuisance: Nuisance = TRAINING,
    artefact: Artefact | None = None,
    *,
    overlay: bool | None = None,
    outline: Outline | None = None,
    copies: int = 0,
) -> Dataset:
    """Return what :func:`models.dataset.load` would return of :func:`models.phantom.write`.

    Labels, groups, names, digests and attributes are the same; nothing is written. Without
    ``outline`` the spines are placed by how they were drawn, and there are no ``copies``.
    """
    images = np.empty((max(count, 0), recipe.SIDE, recipe.SIDE), np.uint8)
    made, scans = [], []
    for index, (patient, view, phantom) in enumerate(
        drawn(count, seed, nuisance, artefact, overlay=overlay)
    ):
        images[index] = phantom.canonical
        scans.append(phantom.scan)
        digest = hashlib.sha256(png(phantom)[0]).hexdigest()
        name = file_name(patient, view, phantom)
        made.append((phantom.label, patient, name, digest, _attributes(phantom)))
    labels, patients, names, digests, attributes = zip(*made, strict=True)
    altered = np.zeros((0, 0, 0, 0), np.uint8)
    if outline is not None:
        found = preparing.canonical(scans, outline)
        for index, image in enumerate(found):
            images[index] = images[index] if image is None else image
        if copies:
            altered = preparing.copies(scans, [None] * len(scans), outline, copies, seed)
    fingerprints = near_duplicates.fingerprints(np.stack([recipe.frame(scan) for scan in scans]))
    return Dataset(
        images=images,
        labels=labels,
        groups=grouping.groups(patients, [[patient] for patient in patients], fingerprints),
        names=names,
        digests=digests,
        attributes={name: tuple(own[name] for own in attributes) for name in attributes[0]},
        frame_fingerprints=fingerprints,
        copies=altered,
    )


def _attributes(phantom: Phantom) -> dict[str, str]:
    truth = {
        "sex": phantom.sex,
        "age": str(phantom.age),
        "vendor": phantom.vendor,
        "artefact": phantom.artefact.value,
        "origin": SYNTHETIC,
    }
    return {
        name: parse(truth[column]) for column, (name, parse) in COLUMNS.items() if column in truth
    }
