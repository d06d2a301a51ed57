"""A patient whose study came by DICOM is found by the number that the scanner sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.integration.cds.records import VIEW, patient, view
from tests.service.integration.kit import image
from tests.service.integration.web.hospitals import hospital
from tests.service.kit.accounts import bearer, key

pytestmark = pytest.mark.anyio


async def test_a_study_that_was_pushed_is_told_of(tmp_path: Path) -> None:
    async with hospital(tmp_path, cds=True) as opened:
        await opened.judged(image(PatientID="4711"), image(PatientID="47"))
        reader = bearer(await key(opened.front, "viewer"))

        async def cards(number: str) -> list[str]:
            answer = await opened.front.client.post(
                f"/cds-services/{VIEW}", json=view(patient(number)), headers=reader
            )
            assert answer.status_code == 200
            return [one["summary"] for one in answer.json()["cards"]]

        # The second one follows from what the file says of the exam.
        summary, guidelines = await cards("4711")
        assert "waits for a reader" in summary
        assert guidelines.startswith("Guidelines on the facts")
        assert len(await cards("47")) == 2
        # Neither a beginning of a number nor a pattern is one.
        for other in ("4", "47%", "_711", "0815"):
            assert await cards(other) == []
        # Of two issuers' patients with one number nobody can tell whose it is.
        await opened.judged(image(PatientID="4711", IssuerOfPatientID="ELSEWHERE"))
        assert await cards("4711") == []
