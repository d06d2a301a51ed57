"""A tree of DICOM files, of any depth and names, and a ``labels.csv`` beside them.

``labels.csv`` has the column ``label`` and one of ``SeriesInstanceUID``, ``StudyInstanceUID`` and
``PatientID``, by which files find their label. What a study holds besides images of the spine is
skipped and counted:

===================  ==========================================================================
not DICOM            whatever else lies in the tree, ``labels.csv`` apart
hidden, or left by   files that begin with a dot, and what a system leaves beside others
a system
no image             structured reports, presentation states, key objects, DICOMDIR, PDF
several frames       a label wants one image; segmentations and cine have many
another body part    Body Part Examined is given and names no spine, as with a hip in one study
no label             ``labels.csv`` does not name its series, study or patient
repeated             the SOP Instance UID was met before
===================  ==========================================================================

Nothing labelled is lost in silence: a row of ``labels.csv`` that finds no image is refused.

The Patient ID groups, and is kept as a SHA-256 digest alone. That is a pseudonym: who has the list
of IDs can find it again, so a data set stays as confidential as its source. File and folder names
of an export often hold the patient's name, so that an image is named by its own SHA-256 instead
(``sha256sum`` finds it again).
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydicom import Dataset as Header
from pydicom import dcmread

from models.dataset import table, tree
from models.dataset.attributes import TAGS
from models.dataset.dataset import DatasetError
from models.dataset.entry import Entry, as_label
from models.dataset.faults import Faults, counted
from models.gate import declared
from models.gate.reason import Reason
from models.reading import sniff
from models.types import Label

NAME: Final = "labels.csv"
KEYS: Final = ("SeriesInstanceUID", "StudyInstanceUID", "PatientID")
DECLARED: Final = ("BodyPartExamined", "ViewPosition")
SKIPPED: Final = {
    Reason.OTHER_BODY_PART: "another body part",
    Reason.OTHER_VIEW: "another view",
}
WANTED: Final = (
    *KEYS,
    *TAGS,
    "SOPInstanceUID",
    *DECLARED,
    "NumberOfFrames",
    "Rows",
    "Columns",
)


def entries(root: Path, skipped: Counter[str], faults: Faults) -> Iterator[Entry]:
    """Yield the labelled images below ``root``, by content, and count in ``skipped`` the others.

    What cannot be used is ``faults``.
    """
    key, labels = _labels(root / NAME, faults)
    met: set[str] = set()
    found: set[str] = set()
    for digest, path in sorted(_contents(root, skipped, faults)):
        name = f"dicom/{digest[:16]}"
        try:
            header = _header(path.read_bytes(), name)
        except DatasetError as error:
            faults.add(str(error))
            continue
        reason = _unusable(header)
        value = _text(header, key) if header is not None else ""
        if reason is None and value not in labels:
            reason = "no label"
        instance = _text(header, "SOPInstanceUID") if header is not None else ""
        if reason is None and instance and instance in met:
            reason = "repeated"
        if header is None or reason is not None:
            skipped[reason or "not DICOM"] += 1
            continue
        met.add(instance)
        found.add(value)
        attributes = _attributes(header, name, faults)
        if attributes is not None:
            yield _entry(header, name, path, labels[value][1], attributes)
    missed = [where for value, (where, _) in labels.items() if value not in found]
    if missed:
        faults.add(
            f"{missed[0]}{f' and {len(missed) - 1} more' if missed[1:] else ''}: no single-frame "
            f"image of the spine has this {key}; skipped were {counted(skipped)}"
        )


def _contents(root: Path, skipped: Counter[str], faults: Faults) -> Iterator[tuple[str, Path]]:
    """Yield the digest and the path of every file but the labels. Names are told to nobody."""
    for path in tree.files(root, root, skipped, faults, lambda _: "a file or folder in it"):
        if path != root / NAME:
            try:
                data = path.read_bytes()
            except OSError as error:
                faults.add(f"a file in it cannot be read: {error.strerror}")
                continue
            yield hashlib.sha256(data).hexdigest(), path


def _labels(path: Path, faults: Faults) -> tuple[str, Mapping[str, tuple[str, Label]]]:
    """Return the key's name, and by its value the row's place and label."""
    names = table.columns(path)
    keys = [key for key in KEYS if key.lower() in names]
    if len(keys) != 1 or "label" not in names:
        raise DatasetError(f"{path.name} needs the column label and just one of {', '.join(KEYS)}")
    (key,) = keys
    labels: dict[str, tuple[str, Label]] = {}
    for where, row in table.rows(path, (key, "label"), faults):
        value = row[key.lower()]
        try:
            if value in labels:
                raise DatasetError(f"{where} has the {key} of {labels[value][0]} once more")
            labels[value] = where, as_label(row["label"], where)
        except DatasetError as error:
            faults.add(str(error))
    return key, labels


def _header(data: bytes, name: str) -> Header | None:
    """Return what is wanted of a DICOM file; None of any other."""
    if sniff(data) != "dicom":
        return None
    try:
        with warnings.catch_warnings():
            # pydicom warns of values against the standard, and quotes them.
            warnings.simplefilter("ignore")
            header = dcmread(
                io.BytesIO(data), force=True, stop_before_pixels=True, specific_tags=list(WANTED)
            )
            # Elements are parsed when first looked at; all are, while warnings are silent.
            for element in header:
                str(element.value)
    except Exception:
        # On damaged bytes pydicom raises anything, and its message may quote them.
        raise DatasetError(f"{name} is DICOM whose header cannot be read") from None
    return header


def _text(header: Header, keyword: str) -> str:
    return str(header.get(keyword) or "").strip(" \0")


def _unusable(header: Header | None) -> str | None:
    """Return why the file is skipped whatever its label, None if it is not."""
    if header is None:
        return "not DICOM"
    if not (header.get("Rows") and header.get("Columns")):
        return "no image"
    if _text(header, "NumberOfFrames") not in ("", "1"):
        return "several frames"
    said = declared.reasons({name: _text(header, name) for name in DECLARED})
    refused = next((reason for reason in said if reason.refuses), None)
    return None if refused is None else SKIPPED[refused]


def _attributes(header: Header, name: str, faults: Faults) -> dict[str, str] | None:
    """Return what subgroups are made of, None where something of it is ``faults``."""
    attributes = {}
    for keyword, (attribute, parse) in TAGS.items():
        try:
            attributes[attribute] = parse(_text(header, keyword))
        except ValueError as error:
            faults.add(f"{name}: {error}; correct or empty it")
            return None
    return attributes


def _entry(
    header: Header, name: str, path: Path, label: Label, attributes: Mapping[str, str]
) -> Entry:
    # Some exports have no Patient ID; then a study is known to be of one patient.
    kind = "PatientID" if _text(header, "PatientID") else "StudyInstanceUID"
    digest = hashlib.sha256(f"osteoserve {kind} {_text(header, kind)}".encode()).hexdigest()
    group = f"patient-{digest[:16]}" if _text(header, kind) else name
    return Entry(name, path, label, group=group, keys=(group,), attributes=attributes)
