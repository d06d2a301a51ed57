"""Results by STOW-RS to real counterparts: Orthanc's plug-in, and our own front."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from service.integration.destinations import DicomWebDestination
from service.integration.dicomweb.check import check
from service.integration.dicomweb.client import Client
from service.integration.ledger.schemas import Result
from service.storage.tables.ledger import ArrivalRow, DeliveryRow
from tests import ports
from tests.service.integration import counterparts
from tests.service.integration.counterparts import Orthanc
from tests.service.integration.dicomweb.servers import saying, server, storing
from tests.service.integration.gateways import gateway
from tests.service.integration.kit import file, image
from tests.service.integration.test_messages import peers, push
from tests.service.integration.test_sender import made
from tests.service.kit.accounts import key
from tests.service.kit.fronts import front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

SR = "1.2.840.10008.5.1.4.1.1.88.34"
SC = "1.2.840.10008.5.1.4.1.1.7"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    folder = tmp_path_factory.mktemp("pacs")
    with counterparts.orthanc(folder, ports.free_port(), ports.free_port(), web=True) as opened:
        yield opened


def at(base: str, name: str, more: str = "") -> str:
    return f'\n[[destination]]\nname = "{name}"\nkind = "dicomweb"\nbase = "{base}"\n{more}'


async def test_a_study_is_in_orthanc_and_a_pacs_that_was_away_has_it_once(
    pacs: Orthanc, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    near = f"http://127.0.0.1:{pacs.http}/dicom-web"
    async with server(saying(503), storing) as other, running() as runners:
        file = peers(
            tmp_path,
            at(near, "pacs", "confirm = true\npdf = true\n"),
            at(other.base, "other"),
            at(other.base, "signed", "unsigned = false\n"),
        )
        async with gateway(tmp_path / "var", runners, file) as one:
            study = image(PatientID="4711-XYZ", PatientName="Doe^Jane")
            await push(one, study)

            async def settled() -> bool:
                async with one.database.connect() as connection:
                    rows = await connection.execute(
                        select(DeliveryRow.destination, DeliveryRow.state)
                    )
                    states = {row.destination: row.state for row in rows}
                return states == {"pacs": "accepted", "other": "accepted", "signed": "held"}

            await one.until(settled, 300)
    tags = pacs.instances()
    classes = {one["SOPClassUID"] for one in tags.values()}
    assert classes == {SR, SC, PDF}
    assert {one["StudyInstanceUID"] for one in tags.values()} == {study.StudyInstanceUID}
    # No sheet where it is not asked for; once each, behind one that was not taken.
    stored = [taken.uid for taken in other.taken[1:]]
    assert sorted(stored) == sorted(uid for uid, one in tags.items() if one["SOPClassUID"] != PDF)
    held = {pacs.file(tags[uid]["ID"]) for uid in stored}
    assert held == {taken.files[0] for taken in other.taken[1:]}
    assert "4711-XYZ" not in caplog.text
    assert "Doe" not in caplog.text


async def test_orthanc_is_whole_and_has_no_more_after_it_was_looked_at(pacs: Orthanc) -> None:
    base = f"http://127.0.0.1:{pacs.http}/dicom-web/studies"
    before = pacs.instances()
    to = DicomWebDestination(name="pacs", kind="dicomweb", base=base, confirm=True)
    assert await asyncio.to_thread(check, to) is None
    assert pacs.instances() == before
    junk = Result(sop_uid="2.25.1", sop_class_uid=SC, series_uid="2.25.2", data=b"junk" * 100)
    plain = to.model_copy(update={"confirm": False})
    sent = await Client(plain).send([junk], {})
    assert (sent.reason, sent.passes) == ("refused 400", False)


async def test_our_own_front_takes_them_and_says_what_it_does_not(tmp_path: Path) -> None:
    async with (
        running() as runners,
        front(tmp_path / "var", runners, dicomweb=True, auth="local") as opened,
    ):
        token = tmp_path / "key"
        base = str(opened.client.base_url.join("/dicom-web"))
        to = DicomWebDestination(name="own", kind="dicomweb", base=base, token_file=token)
        token.write_text("wrong")
        assert await asyncio.to_thread(check, to) == "own does not take our token: it answers 401."
        token.write_text(await key(opened, "integrator"))
        assert await asyncio.to_thread(check, to) is None
        good, *_ = results = made(2)
        wrong = file(image(SOPClassUID="1.2.840.10008.1.1", SOPInstanceUID=results[1].sop_uid))
        results[1] = Result(**{**vars(results[1]), "data": wrong})
        sent = await Client(to).send(results, {})
        assert sent.objects == {good.sop_uid: "0000", results[1].sop_uid: "0122"}
        assert (sent.reason, sent.passes) == ("refused 0122", False)
        async with opened.app.state.health.database.connect() as connection:
            kept = list(await connection.scalars(select(ArrivalRow.sop_uid)))
        assert kept == [good.sop_uid]
