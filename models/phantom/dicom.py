"""A phantom as the DICOM object that a densitometer exports, and as one that it well might.

Densitometers send Secondary Capture (domain.md §5.1). Every object says in Patient's Name,
Manufacturer and Image Comments that it is synthetic.
"""

from __future__ import annotations

import io
from typing import Final, Literal

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from models.phantom.phantom import Phantom

Photometric = Literal["MONOCHROME1", "MONOCHROME2"]
NOTICE: Final = "Synthetic phantom, not a patient"
SEXES: Final = {"female": "F", "male": "M"}
MANUFACTURERS: Final = {"hologic": "Synthetic HOLOGIC", "ge": "Synthetic GE Lunar"}


def encode(
    phantom: Phantom,
    *,
    patient: str | None = None,
    view: int = 0,
    photometric: Photometric = "MONOCHROME2",
    bits: Literal[8, 12] = 8,
) -> bytes:
    """Return ``phantom`` as an uncompressed DICOM file.

    Read again, it shows ``phantom.image`` at 8 bits, and ``phantom.level`` in 4096 steps at 12.
    ``patient`` is the Patient ID, by default one that follows from the person drawn; with ``view``
    it fixes all UIDs, so that the same arguments give the same bytes.
    """
    patient = f"PHANTOM-{phantom.person.seed}" if patient is None else patient
    white = 2**bits - 1
    stored = np.rint(phantom.level * np.float32(white)) if bits > 8 else phantom.image
    if photometric == "MONOCHROME1":
        stored = white - stored
    study, series, instance = (
        generate_uid(entropy_srcs=[NOTICE, patient, str(view), level])
        for level in ("study", "series", f"instance {photometric} {bits}")
    )
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = SecondaryCaptureImageStorage, instance
    data.StudyInstanceUID, data.SeriesInstanceUID = study, series
    data.StudyDate = data.StudyTime = data.StudyID = data.AccessionNumber = ""
    data.ReferringPhysicianName = data.PatientBirthDate = ""
    data.SeriesNumber, data.InstanceNumber = "1", "1"
    data.Modality, data.ConversionType = "BMD", "WSD"
    data.BodyPartExamined, data.ViewPosition, data.PatientOrientation = "LSPINE", "AP", ["L", "F"]
    data.Manufacturer = MANUFACTURERS[phantom.vendor]
    data.PatientID, data.PatientName = patient, "Phantom^Synthetic"
    data.PatientSex, data.PatientAge = SEXES[phantom.sex], f"{phantom.age:03d}Y"
    data.ImageComments = NOTICE
    data.BurnedInAnnotation = "YES" if phantom.overlay else "NO"
    data.PixelSpacing = [f"{phantom.spacing:.6f}"] * 2
    data.Rows, data.Columns = phantom.image.shape
    data.SamplesPerPixel, data.PixelRepresentation = 1, 0
    data.PhotometricInterpretation = photometric
    data.BitsAllocated = 8 if bits == 8 else 16
    data.BitsStored, data.HighBit = bits, bits - 1
    if bits > 8:
        # All of the range: C.11.2.1.2.1 maps 0 to black and 4095 to white.
        data.WindowCenter, data.WindowWidth = str(2 ** (bits - 1)), str(2**bits)
    pixels = stored.astype("<u2" if bits > 8 else np.uint8).tobytes()
    data.PixelData = pixels + b"\0" * (len(pixels) % 2)
    data["PixelData"].VR = "OW" if bits > 8 else "OB"
    buffer = io.BytesIO()
    dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()
