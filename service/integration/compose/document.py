"""The sheet: the result as a PDF, in a DICOM object beside report and capture.

It is the sheet that the front hands out, without heat maps, which would keep the PACS waiting. It
has neither name nor number of a patient on it; the object around it has.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Final

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from service.integration.compose import wording
from service.integration.compose.source import Judged
from service.integration.compose.uids import Origin
from service.integration.ledger.schemas import MANUFACTURER
from service.predictions.contexts import ResultPage
from service.predictions.report import render

SERIES_NUMBER: Final = 9903
TITLE: Final = "AI result on one sheet"
_NOBODY: Final = {"patient_reference": None, "patient_issuer": None, "patient_key": None}
_REPEATED: Final = (
    "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientName",
    "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
    "StudyID",
)  # fmt: skip


def sheet(judged: Judged, scan: bytes) -> bytes:
    """Return the PDF; ``scan`` is the image as the models saw it (PNG)."""
    exam = None if judged.exam is None else judged.exam.model_copy(update=_NOBODY)
    # Other modalities are read by limits that the front has, and are not passed on yet.
    page = dataclasses.replace(
        ResultPage.of(judged.prediction, exam=exam, points=judged.points),
        maps=(),
        modalities=None,
    )
    return render(judged.prediction, page, scan, {})


def compose(judged: Judged, origin: Origin, number: int, pdf: bytes) -> Dataset:
    """Return the ``number``-th document of a study, with ``pdf`` in it (PS3.3 A.45.1)."""
    source = judged.source
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    meta.MediaStorageSOPInstanceUID = origin.instance("document", number)  # type: ignore[assignment]  # a text is made a UID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    if "SpecificCharacterSet" in source:
        made.SpecificCharacterSet = source.SpecificCharacterSet
    for name in _REPEATED:
        if name in source:
            setattr(made, name, source[name].value)
    moment: datetime = judged.prediction.created_at
    made.SOPClassUID = EncapsulatedPDFStorage
    made.SOPInstanceUID = origin.instance("document", number)
    made.Modality = "DOC"
    made.ConversionType = "SYN"
    made.Manufacturer = made.ManufacturerModelName = MANUFACTURER
    made.SeriesInstanceUID = origin.series("document")
    made.SeriesNumber = SERIES_NUMBER
    made.SeriesDescription = wording.series(judged.standing)
    made.InstanceNumber = number + 1
    made.ContentDate = moment.strftime("%Y%m%d")
    made.ContentTime = moment.strftime("%H%M%S")
    made.AcquisitionDateTime = ""
    made.BurnedInAnnotation = "NO"
    made.VerificationFlag = "UNVERIFIED" if judged.standing == "preliminary" else "VERIFIED"
    made.DocumentTitle = f"{TITLE}, {wording.use(judged)[1].lower()}"
    made.ConceptNameCodeSequence = []
    reference = Dataset()
    reference.ReferencedSOPClassUID = source.SOPClassUID
    reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
    made.SourceInstanceSequence = [reference]
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.EncapsulatedDocument = pdf + bytes(len(pdf) % 2)
    made.EncapsulatedDocumentLength = len(pdf)
    return made


def pdf_of(data: bytes) -> bytes:
    """Return the PDF in the file ``data``, a document of ours."""
    made = pydicom.dcmread(pydicom.filebase.DicomBytesIO(data))
    found: bytes = made.EncapsulatedDocument
    return found[: int(made.EncapsulatedDocumentLength)]
