"""A series of CT with known attenuation: round vertebrae with a shell, in a body, with noise.

Every object says in Patient's Name, Manufacturer and Image Comments that it is synthetic.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from models.phantom.dicom import NOTICE

AIR, FAT, MUSCLE, DISC, SHELL, CANAL = -1000.0, -100.0, 55.0, 80.0, 450.0, 20.0
"""Hounsfield units of what is around trabecular bone."""
SPACING: Final = 0.8
"""Millimetres from pixel to pixel."""
BODY: Final = 18.0
"""Radius of a vertebral body in millimetres, with its shell."""
WALL: Final = 3.0
VERTEBRA: Final = 28.0
"""Height of a vertebral body in millimetres; discs are between them."""
GAP: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Series:
    """What is drawn. ``trabecular`` is the attenuation that a region in the middle vertebra has, in
    Hounsfield units, and ``noise`` its standard deviation; ``centre`` is (x, y) in pixels."""

    trabecular: float = 120.0
    noise: float = 15.0
    seed: int = 0
    slices: int = 31
    side: int = 256
    step: float = 3.0
    rescale: tuple[float, float] = (1.0, -1024.0)
    signed: bool = False
    voltage: float | None = 120.0
    contrast: str | None = None

    @property
    def centre(self) -> tuple[float, float]:
        return self.side / 2 - 3.0, self.side * 0.6

    @property
    def middle(self) -> int:
        """The number of the slice through the middle vertebra's middle; the uppermost is 1."""
        return self.slices // 2 + 1


def attenuation(series: Series) -> NDArray[np.float64]:
    """Return what is drawn before it is stored, in Hounsfield units, (slices, side, side)."""
    random = np.random.default_rng(series.seed)
    x0, y0 = series.centre
    y, x = np.mgrid[: series.side, : series.side]
    away = np.hypot(x - x0, y - y0) * SPACING
    middle = series.side / 2
    skin = np.hypot((x - middle) / 0.47, (y - middle) / 0.36) / series.side
    around = np.where(skin > 1.0, AIR, np.where(skin > 0.88, FAT, MUSCLE))
    canal = np.hypot(x - x0, y - y0 - (BODY + 8) / SPACING) * SPACING
    around = np.where(canal < 11, SHELL, around)
    around = np.where(canal < 8, CANAL, around)
    drawn = np.empty((series.slices, series.side, series.side))
    period = VERTEBRA + GAP
    for number in range(series.slices):
        height = (number - series.slices // 2) * series.step
        from_middle = abs((height + period / 2) % period - period / 2)
        within = series.trabecular if from_middle <= VERTEBRA / 2 else DISC
        shell = SHELL if from_middle <= VERTEBRA / 2 else DISC
        plate = abs(from_middle - VERTEBRA / 2) < series.step / 2
        body = np.where(away < BODY - WALL, SHELL if plate else within, shell)
        drawn[number] = np.where(away < BODY, body, around)
    return drawn + random.normal(0, series.noise, drawn.shape)


def encode(series: Series) -> list[bytes]:
    """Return the slices as uncompressed DICOM files, the uppermost first."""
    slope, intercept = series.rescale
    low, high = (-(2**15), 2**15 - 1) if series.signed else (0, 2**16 - 1)
    stored = np.clip(np.rint((attenuation(series) - intercept) / slope), low, high)
    pixels = stored.astype("<i2" if series.signed else "<u2")
    named = [NOTICE, "CT", repr(series)]
    uid = generate_uid(entropy_srcs=named)
    return [_file(series, number, one, uid) for number, one in enumerate(pixels)]


def _file(series: Series, number: int, pixels: NDArray[np.integer], uid: str) -> bytes:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.SOPClassUID = CTImageStorage
    data.SOPInstanceUID = generate_uid(entropy_srcs=[uid, str(number)])
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(entropy_srcs=[uid]), uid
    data.StudyDate = "20250102"
    data.StudyTime = data.StudyID = data.AccessionNumber = ""
    data.ReferringPhysicianName = data.PatientBirthDate = data.PatientSex = ""
    data.Modality, data.Manufacturer, data.ManufacturerModelName = "CT", "Synthetic CT", "Phantom"
    data.PatientID, data.PatientName = f"PHANTOM-{series.seed}", "Phantom^Synthetic"
    data.ImageComments = NOTICE
    data.SeriesNumber, data.InstanceNumber = "1", str(number + 1)
    if series.voltage is not None:
        data.KVP = f"{series.voltage:g}"
    if series.contrast is not None:
        data.ContrastBolusAgent = series.contrast
    data.SliceThickness, data.ConvolutionKernel = f"{series.step:g}", "B30"
    data.ImagePositionPatient = ["0", "0", f"{1000 - number * series.step:g}"]
    data.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    data.PixelSpacing = [f"{SPACING:g}"] * 2
    data.Rows = data.Columns = series.side
    data.SamplesPerPixel, data.PixelRepresentation = 1, int(series.signed)
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit = 15
    data.RescaleSlope, data.RescaleIntercept = (f"{one:g}" for one in series.rescale)
    data.RescaleType = "HU"
    data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OW"
    buffer = io.BytesIO()
    dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()
