"""Images and DICOM objects on disk, drawn by the phantom generator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComprehensiveSRStorage, ExplicitVRLittleEndian, generate_uid

from models import artifact
from models.inference.base import Outliner
from models.inference.preparation import prepare
from models.phantom import Artefact, Phantom, draw
from models.phantom.dicom import encode
from models.reading import read


def phantom(seed: int) -> Phantom:
    return draw(np.random.default_rng(seed), artefact=Artefact.NONE)


def picture(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(phantom(seed).image).save(path)
    return path


def canonical(content: bytes) -> np.ndarray:
    """Return the canonical image of a file's content, by the shipped network of vertebrae."""
    (prepared,) = prepare([read(content)], Outliner(artifact.load("vertebrae")).outline)
    assert prepared.canonical is not None
    return prepared.canonical


def table(path: Path, *rows: Sequence[object]) -> Path:
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    return path


def image_object(path: Path, seed: int, **elements: object) -> Dataset:
    """Write a phantom's DICOM object, ``elements`` changed, None for those to lack."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(phantom(seed), patient=f"SECRET{seed}"))
    made = dcmread(path)
    for keyword, value in elements.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.save_as(path)
    return made


def report_object(path: Path, like: Dataset) -> None:
    """Write a structured report of the same study and series."""
    report = Dataset()
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.SOPClassUID = ComprehensiveSRStorage
    report.SOPInstanceUID = generate_uid()
    report.Modality = "SR"
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(report, keyword, like[keyword].value)
    dcmwrite(path, report, enforce_file_format=True)
