"""Phantoms as a dataset, without files. Synthetic: scores on them are no clinical evidence."""

from __future__ import annotations

import hashlib

import numpy as np

from models import recipe
from models.dataset import grouping, likeness
from models.dataset.attributes import COLUMNS
from models.dataset.dataset import SYNTHETIC, Dataset
from models.phantom import TRAINING, Artefact, Nuisance, Phantom, drawn, file_name, png


def phantoms(
    count: int,
    seed: int,
    nuisance: Nuisance = TRAINING,
    artefact: Artefact | None = None,
    *,
    overlay: bool | None = None,
) -> Dataset:
    """Return what :func:`models.dataset.load` would return of :func:`models.phantom.write`.

    Images, labels, groups, names, digests and attributes are the same; nothing is written.
    """
    images = np.empty((max(count, 0), recipe.SIDE, recipe.SIDE), np.uint8)
    made = []
    for index, (patient, view, phantom) in enumerate(
        drawn(count, seed, nuisance, artefact, overlay=overlay)
    ):
        images[index] = recipe.prepare(phantom.scan)
        digest = hashlib.sha256(png(phantom)[0]).hexdigest()
        name = file_name(patient, view, phantom)
        made.append((phantom.label, patient, name, digest, _attributes(phantom)))
    labels, patients, names, digests, attributes = zip(*made, strict=True)
    marks = likeness.fingerprints(images)
    return Dataset(
        images=images,
        labels=labels,
        groups=grouping.groups(patients, [[patient] for patient in patients], marks),
        names=names,
        digests=digests,
        attributes={name: tuple(own[name] for own in attributes) for name in attributes[0]},
        marks=marks,
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
