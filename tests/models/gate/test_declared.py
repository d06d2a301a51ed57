"""A file that says what it shows is believed, in training and in service alike."""

from __future__ import annotations

import io

import numpy as np
import pytest
from pydicom import dcmread, dcmwrite

from models import phantom
from models.gate import declared, quality
from models.gate.reason import Reason
from models.phantom import Artefact, dicom
from models.reading import read

HEADERS: tuple[tuple[dict[str, str], tuple[str, ...]], ...] = (
    ({}, ()),
    ({"BodyPartExamined": "LSPINE", "ViewPosition": "AP"}, ()),
    ({"BodyPartExamined": "SPINE", "ViewPosition": "PA"}, ()),
    ({"BodyPartExamined": "ABDOMEN"}, ()),
    ({"BodyPartExamined": "DXA"}, ()),
    ({"BodyPartExamined": "HIP"}, ("other_body_part",)),
    ({"BodyPartExamined": "HIP LEFT"}, ("other_body_part",)),
    ({"BodyPartExamined": "FOREARM"}, ("other_body_part",)),
    ({"BodyPartExamined": "CSPINE"}, ("other_body_part",)),
    ({"ViewPosition": "LATERAL"}, ("other_view",)),
    ({"ViewPosition": "LL"}, ("other_view",)),
    ({"PresentationIntentType": "FOR PROCESSING"}, ("for_processing",)),
    ({"PresentationIntentType": "FOR PRESENTATION"}, ()),
    ({"BurnedInAnnotation": "YES"}, ("burned_in_annotation",)),
    ({"BurnedInAnnotation": "NO"}, ()),
    (
        {"BodyPartExamined": "HIP", "ViewPosition": "LATERAL", "BurnedInAnnotation": "YES"},
        ("other_body_part", "other_view", "burned_in_annotation"),
    ),
)


@pytest.mark.parametrize(("tags", "expected"), HEADERS)
def test_what_a_header_says(tags: dict[str, str], expected: tuple[str, ...]) -> None:
    assert tuple(reason.value for reason in declared.reasons(tags)) == expected


@pytest.mark.parametrize(("tags", "expected"), HEADERS)
def test_it_is_read_from_the_file_and_weighed(
    tags: dict[str, str], expected: tuple[str, ...]
) -> None:
    checked = quality.check(read(written(tags)))

    assert checked.reasons == tuple(code for code in expected if Reason(code).refuses)
    assert checked.findings == tuple(code for code in expected if not Reason(code).refuses)
    assert checked.accepted == (not checked.reasons)


def written(tags: dict[str, str]) -> bytes:
    """Return a phantom's DICOM file that says ``tags`` of itself and nothing else."""
    drawn = phantom.draw(np.random.default_rng(5), artefact=Artefact.NONE)
    data = dcmread(io.BytesIO(dicom.encode(drawn)))
    for keyword in ("BodyPartExamined", "ViewPosition", "BurnedInAnnotation"):
        delattr(data, keyword)
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    buffer = io.BytesIO()
    dcmwrite(buffer, data)
    return buffer.getvalue()
