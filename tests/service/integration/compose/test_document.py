"""The encapsulated PDF: the same for the same result, and what it says it is."""

from __future__ import annotations

import io

import pydicom
import pytest

from service.integration.compose import document
from tests.service.integration.compose.kit import exam, made, part, sheet, told
from tests.service.integration.kit import file
from tests.service.kit.images import png, waves


@pytest.mark.parametrize("length", [0, 1])
def test_what_is_put_in_comes_out(length: int) -> None:
    one = made()
    pdf = sheet() + b"\n" * length
    data = file(document.compose(one.parts[0], one.origin, 0, pdf))
    assert document.pdf_of(data) == pdf
    assert len(pydicom.dcmread(io.BytesIO(data)).EncapsulatedDocument) % 2 == 0


def test_the_same_result_is_the_same_object() -> None:
    one = made()
    first, again = (file(document.compose(one.parts[0], one.origin, 0, sheet())) for _ in "12")
    assert first == again
    other = document.compose(one.parts[0], one.origin, 1, sheet())
    assert other.SOPInstanceUID != pydicom.dcmread(io.BytesIO(first)).SOPInstanceUID


def test_it_is_of_the_image_that_was_judged() -> None:
    judged = part(PatientName="Müller^Jürgen", PatientID="7", SpecificCharacterSet="ISO_IR 100")
    one = made(judged)
    found = document.compose(judged, one.origin, 0, sheet())
    assert (str(found.PatientName), found.PatientID, found.Modality) == (
        "Müller^Jürgen", "7", "DOC"
    )  # fmt: skip
    assert found.StudyInstanceUID == judged.source.StudyInstanceUID
    (reference,) = found.SourceInstanceSequence
    assert reference.ReferencedSOPInstanceUID == judged.source.SOPInstanceUID
    assert "preliminary" in found.SeriesDescription
    # The sheet itself names nobody.
    assert b"ller" not in sheet()


def test_the_sheet_has_the_scanners_numbers_and_no_patient() -> None:
    facts = {"patient_reference": "4711", "patient_issuer": "North", "age_years": 66}
    whose, nobodys = exam(told(), **facts), exam(told(), age_years=66)
    scan = png(waves(224, 224))
    named, plain, bare = (document.sheet(part(exam=one), scan) for one in (whose, nobodys, None))
    assert named == plain
    assert plain != bare == sheet()
