"""The capture: the scan with outlines of vertebrae and what was said, for viewers without SR."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from highdicom import CoordinateSystemNames, PhotometricInterpretationValues
from highdicom.sc import SCImage
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from service.integration.compose.report import SERIES
from service.integration.compose.source import Judged
from service.integration.compose.uids import Origin
from service.integration.dicom.head import hush
from service.integration.ledger.schemas import MANUFACTURER
from service.medicine.osteoporosis.view import probability, told
from service.medicine.osteoporosis.wording import HEADINGS
from service.predictions.schemas import Prediction

SERIES_NUMBER: Final = 9902
STRIP: Final = 34
"""Pixels of height of the strip that the text stands in, below the scan."""
_OUTLINE, _TEXT = (255, 170, 0), (255, 255, 255)


def compose(
    judged: Judged, origin: Origin, number: int, grey: NDArray[np.uint8], scale: float
) -> Dataset:
    """Return a secondary capture of ``grey``, (height, width), ``scale`` times as large as sent."""
    hush()
    source = judged.source
    captured = SCImage.from_ref_dataset(
        source,
        pixel_array=draw(judged, grey, scale),
        photometric_interpretation=PhotometricInterpretationValues.RGB,
        bits_allocated=8,
        coordinate_system=CoordinateSystemNames.PATIENT,
        patient_orientation=_orientation(source),
        series_instance_uid=origin.series("capture"),
        series_number=SERIES_NUMBER,
        series_description=SERIES,
        sop_instance_uid=origin.instance("capture", number),
        instance_number=number + 1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set=source.get("SpecificCharacterSet"),
    )
    captured.ImageType = ["DERIVED", "SECONDARY"]
    captured.BurnedInAnnotation = "YES"
    captured.BodyPartExamined = "LSPINE"
    captured.DerivationDescription = "Outlines of vertebrae and outcome drawn on the scan"
    reference = Dataset()
    reference.ReferencedSOPClassUID = source.SOPClassUID
    reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
    captured.SourceImageSequence = [reference]
    return captured


def draw(judged: Judged, grey: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Return the picture: (height + :data:`STRIP`, width, 3) uint8."""
    height, width = grey.shape
    picture = Image.new("RGB", (width, height + STRIP))
    picture.paste(Image.fromarray(grey))
    pen = ImageDraw.Draw(picture)
    vertebrae = judged.prediction.vertebrae
    for level in vertebrae.levels if vertebrae else ():
        points = [(x * scale, y * scale) for x, y in level.outline]
        if len(points) > 1:
            pen.line([*points, points[0]], fill=_OUTLINE, width=2)
            pen.text((points[0][0] + 4, points[0][1] + 4), level.level, fill=_OUTLINE)
    for number, line in enumerate(lines(judged.prediction)):
        pen.text((6, height + 3 + 15 * number), line, fill=_TEXT)
    return np.asarray(picture)


def lines(prediction: Prediction) -> tuple[str, str]:
    """Return the text of the strip, line by line."""
    said = HEADINGS[told(prediction)]
    sure = probability(prediction.probability)
    if sure is not None:
        said += f", {sure}"
    return f"{MANUFACTURER}: {said}", "Research use only, preliminary. No diagnosis."


def _orientation(source: Dataset) -> tuple[str, str]:
    said = source.get("PatientOrientation") or []
    known = len(said) == 2 and all(re.fullmatch("[APRLHF]{1,3}", str(one)) for one in said)
    return (str(said[0]), str(said[1])) if known else ("L", "F")
