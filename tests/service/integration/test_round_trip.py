"""A scanner pushes, and the result is in the PACS: DCMTK, Orthanc and two validators."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from service.integration.destinations import DicomDestination
from service.integration.dicom import sender
from service.integration.ledger.schemas import Balance, Result
from service.integration.metrics import ATTEMPTS
from tests import ports
from tests.service.integration import counterparts
from tests.service.integration.counterparts import Orthanc
from tests.service.integration.gateways import Gateway, gateway, peers_file
from tests.service.integration.kit import file, image
from tests.service.kit.images import waves
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

SR = "1.2.840.10008.5.1.4.1.1.88.34"
SC = "1.2.840.10008.5.1.4.1.1.7"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    folder = tmp_path_factory.mktemp("pacs")
    with counterparts.orthanc(folder, ports.free_port(), ports.free_port()) as opened:
        yield opened


@pytest.fixture(scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory, pacs: Orthanc) -> AsyncIterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    async with (
        running() as runners,
        gateway(folder / "var", runners, peers_file(folder, pacs.dicom)) as one,
    ):
        yield one


async def push(opened: Gateway, folder: Path, *objects: Dataset) -> None:
    files = []
    for one in objects:
        path = folder / f"{generate_uid()}.dcm"
        path.write_bytes(file(one))
        files.append(path)
    done = await asyncio.to_thread(counterparts.storescu, opened.port, *files)
    assert done.returncode == 0, done.stderr


async def results(
    opened: Gateway, pacs: Orthanc, study: str, seconds: float = 60
) -> tuple[list[Dataset], list[Dataset]]:
    """Return reports and captures that the PACS has of a study, once nothing is under way."""
    await opened.finished(seconds)
    found = await asyncio.to_thread(pacs.instances)
    ours = [
        pydicom.dcmread(io.BytesIO(await asyncio.to_thread(pacs.file, one["ID"])))
        for one in found.values()
        if one["StudyInstanceUID"] == study
    ]
    reports = [one for one in ours if one.SOPClassUID == SR]
    return (
        sorted(reports, key=lambda one: int(one.InstanceNumber)),
        [one for one in ours if one.SOPClassUID == SC],
    )


def items(report: Dataset) -> list[Dataset]:
    """Return every content item of a report."""

    def walk(one: Dataset) -> Iterator[Dataset]:
        yield one
        for inner in one.get("ContentSequence", []):
            yield from walk(inner)

    return list(walk(report))


def said(report: Dataset, name: str) -> list[Any]:
    """Return the values of content items with a concept name."""
    found = []
    for item in items(report):
        names = item.get("ConceptNameCodeSequence")
        if names and names[0].CodeMeaning == name:
            if item.ValueType == "NUM":
                found.append(float(item.MeasuredValueSequence[0].NumericValue))
            elif item.ValueType == "CODE":
                found.append(item.ConceptCodeSequence[0].CodeMeaning)
            else:
                found.append(item.get("TextValue"))
    return found


def valid(
    folder: Path, source: list[Dataset], made: list[Dataset], *, templates: bool = False
) -> None:
    """Hold what was made against two validators, and with ``templates`` the third, slow one."""
    paths = []
    for number, one in enumerate([*source, *made]):
        path = folder / f"check-{number}.dcm"
        path.write_bytes(file(one))
        paths.append(path)
    for path, one in zip(paths[len(source) :], made, strict=True):
        assert counterparts.dciodvfy(path) == []
        if templates and one.SOPClassUID == SR:
            assert counterparts.sr_validator(path) == []
    assert counterparts.dcentvfy(*paths) == []


async def test_what_a_scanner_pushes_is_answered_in_the_pacs(
    opened: Gateway, pacs: Orthanc, tmp_path: Path
) -> None:
    one = image(PatientName="Doe^Jane", PatientID="4711", AccessionNumber="A1")
    await push(opened, tmp_path, one)
    (report,), (capture,) = await results(opened, pacs, one.StudyInstanceUID)
    for made in (report, capture):
        assert (made.PatientID, str(made.PatientName)) == ("4711", "Doe^Jane")
        assert (made.AccessionNumber, made.StudyID) == ("A1", "7")
        assert made.Manufacturer == "osteoserve"
        assert "research use only, preliminary" in made.SeriesDescription
        assert made.SOPInstanceUID.startswith("2.25.")
    assert (report.PreliminaryFlag, report.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    assert said(report, "Probability") == [0.83]
    assert said(report, "Outcome") == ["Signs of osteoporosis; not a diagnosis"]
    assert said(report, "Intended use") == ["Research use only, preliminary"]
    assert capture.pixel_array.ndim == 3
    assert capture.BurnedInAnnotation == "YES"
    valid(tmp_path, [one], [report, capture])


@pytest.mark.parametrize("count", [1, 5])
async def test_case_31_and_32_validators_agree_and_the_evidence_is_there(
    opened: Gateway, pacs: Orthanc, tmp_path: Path, count: int
) -> None:
    study, series = generate_uid(), generate_uid()
    sent = [
        image(StudyInstanceUID=study, SeriesInstanceUID=series, InstanceNumber=str(number + 1))
        for number in range(count)
    ]
    await push(opened, tmp_path, *sent)
    (report,), captures = await results(opened, pacs, study)
    evidence = {
        reference.ReferencedSOPInstanceUID
        for of_study in report.CurrentRequestedProcedureEvidenceSequence
        for of_series in of_study.ReferencedSeriesSequence
        for reference in of_series.ReferencedSOPSequence
    }
    assert evidence == {one.SOPInstanceUID for one in sent}
    assert len(captures) == count
    assert said(report, "Probability") == [0.83] * count
    valid(tmp_path, sent, [report, *captures], templates=count > 1)


async def test_case_35_a_source_without_identifying_attributes_gives_a_valid_result(
    opened: Gateway, pacs: Orthanc, tmp_path: Path
) -> None:
    bare = dict.fromkeys(
        ("StudyID", "AccessionNumber", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
         "ReferringPhysicianName", "Manufacturer", "PatientOrientation", "SeriesNumber")
    )  # fmt: skip
    one, two = image(**bare), image(**bare)
    await push(opened, tmp_path, one, two)
    for source in (one, two):
        (report,), (capture,) = await results(opened, pacs, source.StudyInstanceUID)
        assert report.StudyInstanceUID == source.StudyInstanceUID
        for path, made in ((tmp_path / "a", report), (tmp_path / "b", capture)):
            path.write_bytes(file(made))
            assert counterparts.dciodvfy(path) == []


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Müller^Jürgen"),
        ("ISO_IR 192", "Łukasz^Ωmega"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("ISO_IR 101", "Dvořák^Antonín"),
    ],
)
async def test_case_36_a_name_arrives_as_it_was_sent(
    opened: Gateway, pacs: Orthanc, tmp_path: Path, charset: str, name: str
) -> None:
    one = image(SpecificCharacterSet=charset, PatientName=name)
    await push(opened, tmp_path, one)
    (report,), (capture,) = await results(opened, pacs, one.StudyInstanceUID)
    assert str(report.PatientName) == str(capture.PatientName) == name
    valid(tmp_path, [one], [report, capture])


async def test_case_13_a_late_image_gives_a_report_that_names_its_predecessor(
    opened: Gateway, pacs: Orthanc, tmp_path: Path
) -> None:
    one = image()
    await push(opened, tmp_path, one)
    await opened.finished()
    late = image(StudyInstanceUID=one.StudyInstanceUID, SeriesInstanceUID=one.SeriesInstanceUID)
    await push(opened, tmp_path, late)
    (first, second), captures = await results(opened, pacs, one.StudyInstanceUID)
    named = second.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert named.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert "PredecessorDocumentsSequence" not in first
    assert len(said(second, "Probability")) == 2
    assert len(captures) == 3
    valid(tmp_path, [one, late], [first, second, *captures])


async def test_a_refusal_is_delivered_as_not_analysed_without_a_probability(
    opened: Gateway, pacs: Orthanc, tmp_path: Path
) -> None:
    pixels = waves(320, 256)
    one = image(Rows=320, Columns=256, PixelData=pixels.tobytes())
    await push(opened, tmp_path, one)
    (report,), captures = await results(opened, pacs, one.StudyInstanceUID)
    assert said(report, "Outcome") == ["Not analysed"]
    assert said(report, "Probability") == []
    assert said(report, "Reason for not being analysed") != []
    assert captures == []
    valid(tmp_path, [one], [report], templates=True)


async def test_our_own_results_that_come_back_are_ignored(
    opened: Gateway, pacs: Orthanc, tmp_path: Path
) -> None:
    one = image()
    await push(opened, tmp_path, one)
    (report,), (capture,) = await results(opened, pacs, one.StudyInstanceUID)
    before = await opened.ledger.balance()
    scanner = DicomDestination(
        name="us", called="OSTEOSERVE", calling="DXA1", host="127.0.0.1", port=opened.port
    )
    back = [
        Result(
            sop_uid=each.SOPInstanceUID,
            sop_class_uid=each.SOPClassUID,
            series_uid=each.SeriesInstanceUID,
            data=file(each),
        )
        for each in (report, capture, image(Manufacturer="osteoserve"))
    ]
    sent = await asyncio.to_thread(sender.send, scanner, back, {})
    assert (sent.reason, set(sent.objects.values())) == (None, {"0000"})
    await opened.finished()
    after = await opened.ledger.balance()
    assert after == Balance(
        **{**vars(before), "accepted": before.accepted + 3, "ignored": before.ignored + 3}
    )
    assert len(await asyncio.to_thread(pacs.instances)) > 0
    (again,), _ = await results(opened, pacs, one.StudyInstanceUID)
    assert again.SOPInstanceUID == report.SOPInstanceUID


async def test_case_12_two_interleaved_series_give_one_result_with_all_images(
    opened: Gateway, pacs: Orthanc, tmp_path: Path
) -> None:
    study, (first, second) = generate_uid(), (generate_uid(), generate_uid())
    sent = [
        image(StudyInstanceUID=study, SeriesInstanceUID=series)
        for series in (first, second, first, second)
    ]
    await push(opened, tmp_path, *sent)
    (report,), captures = await results(opened, pacs, study)
    assert (len(said(report, "Probability")), len(captures)) == (4, 4)


async def test_case_31_and_33_a_sheet_is_in_the_pacs_where_it_is_asked_for(
    pacs: Orthanc, tmp_path: Path
) -> None:
    peers = peers_file(tmp_path, pacs.dicom, more="pdf = true\n")
    study = generate_uid()
    who = {"PatientName": "Müller^Jürgen", "SpecificCharacterSet": "ISO_IR 100"}
    waved = waves(320, 256).tobytes()
    sent = [
        image(StudyInstanceUID=study, **who),
        image(StudyInstanceUID=study, Rows=320, Columns=256, PixelData=waved, **who),
    ]
    async with running() as runners, gateway(tmp_path / "var", runners, peers) as opened:
        await push(opened, tmp_path, *sent)
        (report,), captures = await results(opened, pacs, study)
    found = await asyncio.to_thread(pacs.instances)
    sheets = [
        pydicom.dcmread(io.BytesIO(await asyncio.to_thread(pacs.file, one["ID"])))
        for one in found.values()
        if one["StudyInstanceUID"] == study and one["SOPClassUID"] == PDF
    ]
    # A refusal has a sheet as well, and no capture.
    assert (len(sheets), len(captures)) == (2, 1)
    for one in sheets:
        assert (one.Modality, str(one.PatientName)) == ("DOC", "Müller^Jürgen")
        assert one.EncapsulatedDocument.startswith(b"%PDF-")
        assert one.EncapsulatedDocument.rstrip(b"\0\r\n").endswith(b"%%EOF")
    valid(tmp_path, sent, [report, *captures, *sheets])


async def test_case_23_and_24_one_destination_is_away_and_all_is_delivered_once_it_returns(
    pacs: Orthanc, tmp_path: Path
) -> None:
    away = Orthanc(tmp_path / "away", ports.free_port(), ports.free_port())
    away.folder.mkdir()
    more = (
        '\n[[destination]]\nname = "archive"\ncalled = "PACS"\ncalling = "OSTEOSERVE"\n'
        f'host = "127.0.0.1"\nport = {away.dicom}\n'
    )
    peers = peers_file(tmp_path / "gateway", pacs.dicom, more=more)
    async with running() as runners, gateway(tmp_path / "var", runners, peers) as opened:
        sent = [image() for _ in range(2)]
        await push(opened, tmp_path, *sent)

        async def queued() -> bool:
            waiting = {line.about for line in await opened.ledger.waiting()}
            delivered = opened.sample(ATTEMPTS, state="accepted")
            return waiting == {"archive"} and delivered == 2

        await opened.until(queued, 120)
        (line, _) = await opened.ledger.waiting()
        assert (line.kind, line.reason) in (("delivery", "unreachable"), ("delivery", None))
        await asyncio.to_thread(away.start)
        try:
            await opened.finished(180)
            found = await asyncio.to_thread(away.instances)
        finally:
            away.stop()
        assert len(found) == 4
        # Whoever was there got each once, however often the other was tried.
        assert opened.sample(ATTEMPTS, state="accepted") == 4
