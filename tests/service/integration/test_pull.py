"""Studies are fetched from archives: Orthanc by C-MOVE and C-GET, by a person and by the clock."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from sqlalchemy import select, update

from service.__main__ import main
from service.clock import now
from service.identity.actor import Actor
from service.integration.metrics import OBJECTS, PULLED
from service.integration.peers import Peers
from service.integration.pulls.schemas import UNDER_WAY, Question
from service.integration.pulls.service import Pulls
from service.storage.tables.audit import AuditEventRow
from service.storage.tables.ledger import ArrivalRow, LedgerEventRow, PullRow, PullStudyRow
from tests import ports
from tests.service.integration import counterparts
from tests.service.integration.archives import Archive, answer, serving
from tests.service.integration.counterparts import Orthanc
from tests.service.integration.gateways import Gateway, gateway, peers_file
from tests.service.integration.kit import arrival, file, image
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

ARCHIVE = """
[[peer]]
name = "vna"
calling = "{title}"
called = "{called}"
addresses = ["127.0.0.1/32"]

[[archive]]
name = "vna"
peer = "vna"
called = "{title}"
calling = "OSTEOSERVE"
host = "127.0.0.1"
port = {port}
"""


def archive(port: int, more: str = "", *, title: str = "PACS", called: str = "OSTEOSERVE") -> str:
    return ARCHIVE.format(port=port, title=title, called=called) + more


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    folder = tmp_path_factory.mktemp("pacs")
    with counterparts.orthanc(folder, ports.free_port(), ports.free_port()) as opened:
        yield opened


@asynccontextmanager
async def pulling(folder: Path, port: int, entries: str, **settings: Any) -> AsyncIterator[Gateway]:
    peers = peers_file(folder, port, more=entries)
    async with running() as runners, gateway(folder / "var", runners, peers, **settings) as one:
        yield one


async def filled(pacs: Orthanc, opened: Gateway, *objects: Dataset) -> None:
    """Put ``objects`` into the PACS, by another way than through us, and let it know of us."""
    await asyncio.to_thread(pacs.knows, "gateway", "OSTEOSERVE", opened.port)
    for one in objects:
        await asyncio.to_thread(pacs.post, "/instances", file(one))


async def command(
    opened: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], *arguments: str,
) -> tuple[int, str]:  # fmt: skip
    monkeypatch.setenv("OSTEOSERVE_VAR", str(folder / "var"))
    monkeypatch.setenv("OSTEOSERVE_GATEWAY_PEERS", str(folder / "peers.toml"))
    capsys.readouterr()
    code = await asyncio.to_thread(main, ["gateway", "pull", "vna", "--wait", "60", *arguments])
    said = capsys.readouterr()
    return code, said.out + said.err


async def rows(opened: Gateway, *columns: Any) -> list[tuple[Any, ...]]:
    async with opened.database.connect() as connection:
        return [tuple(row) for row in await connection.execute(select(*columns))]


@pytest.mark.parametrize("how", ["move", "get"])
async def test_a_study_that_nobody_pushed_is_fetched_and_answered(
    pacs: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], how: str,
) -> None:  # fmt: skip
    number, study = f"A{how}", generate_uid()
    wanted = [image(StudyInstanceUID=study, AccessionNumber=number) for _ in range(2)]
    entries = archive(pacs.dicom, f'retrieve = "{how}"\n')
    async with pulling(tmp_path, pacs.dicom, entries) as opened:
        await filled(pacs, opened, *wanted, image(AccessionNumber=f"{number}9"))

        def ask(*what: str) -> Any:
            return command(opened, tmp_path, monkeypatch, capsys, *what)

        code, said = await ask("--accession", number)
        assert (code, "1 found, 1 fetched with 2 objects." in said) == (0, True), said
        await opened.finished(200)
        arrived = await rows(opened, ArrivalRow.sop_uid, ArrivalRow.state, ArrivalRow.peer)
        assert sorted(arrived) == sorted((one.SOPInstanceUID, "held", "vna") for one in wanted)
        found = await asyncio.to_thread(pacs.instances)
        ours = [one for one in found.values() if one.get("Manufacturer") == "osteoserve"]
        assert {one["StudyInstanceUID"] for one in ours if one["AccessionNumber"] == number} == {
            study
        }
        # Once more: it is here, and what has come of it is ours.
        code, said = await ask("--study", study)
        assert code == 0
        await opened.finished(200)
        assert opened.sample(OBJECTS, result="duplicate") == 2
        assert (await opened.ledger.balance()).delivered == 2
        # Of another modality there is nothing.
        code, said = await ask("--study", study, "--modality", "CT")
        assert (code, "0 found" in said) == (0, True), said
        assert [row[0] for row in await rows(opened, AuditEventRow.kind)].count(
            "archive_asked"
        ) == 3
        assert {row[0] for row in await rows(opened, PullRow.question)} == {None}


@pytest.mark.parametrize("how", ["move", "get"])
async def test_dcmtk_s_archive_is_asked_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    ours, port = ports.free_port(), ports.free_port()
    study, series = generate_uid(), generate_uid()
    uids = {"StudyInstanceUID": study, "AccessionNumber": "A1", "StudyDate": "20260110"}
    spine, other = image(SeriesInstanceUID=series, **uids), image(Modality="CR", **uids)
    entries = archive(port, f'retrieve = "{how}"\n', title="VNA")
    with counterparts.dcmqrscp(tmp_path / "vna", port, "VNA", {"OSTEOSERVE": ours}):
        for number, one in enumerate((spine, other)):
            path = tmp_path / f"{number}.dcm"
            path.write_bytes(file(one))
            done = await asyncio.to_thread(
                counterparts.storescu, port, path, calling="OSTEOSERVE", called="VNA"
            )
            assert done.returncode == 0, done.stderr
        async with pulling(tmp_path, ports.free_port(), entries, gateway_dicom_port=ours) as opened:
            code, said = await command(
                opened, tmp_path, monkeypatch, capsys,
                "--from", "2026-01-09", "--to", "2026-01-10", "--modality", spine.Modality,
            )  # fmt: skip
            assert (code, "1 found, 1 fetched with 1 objects." in said) == (0, True), said
            assert await rows(opened, ArrivalRow.sop_uid) == [(spine.SOPInstanceUID,)]
            code, said = await command(
                opened, tmp_path, monkeypatch, capsys, "--accession", "A1", "--most", "1"
            )
            assert (code, "with 2 objects." in said) == (0, True), said
            assert len(await rows(opened, ArrivalRow.sop_uid)) == 2


async def test_a_patient_s_number_is_read_and_stands_nowhere_else(
    pacs: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    one = image(PatientID="4711-X", StudyDate="20260110")
    other = image(PatientID="4711-X", StudyDate="20250110")
    async with pulling(tmp_path, pacs.dicom, archive(pacs.dicom)) as opened:
        await filled(pacs, opened, one, other)
        monkeypatch.setattr("sys.stdin", io.StringIO("4711-X\n"))
        code, said = await command(
            opened, tmp_path, monkeypatch, capsys, "--patient", "-", "--from", "2026-01-01"
        )
        assert (code, "1 found, 1 fetched" in said) == (0, True), said
        assert "4711-X" not in said + caplog.text
        events = await rows(opened, LedgerEventRow.reason)
        trail = await rows(opened, AuditEventRow.detail)
        assert "4711-X" not in repr(events) + repr(trail)
        assert await rows(opened, PullStudyRow.study_uid, PullStudyRow.state) == [
            (one.StudyInstanceUID, "fetched")
        ]
        await opened.finished(200)


async def test_an_archive_that_cannot_send_says_why_to_whoever_asked(
    pacs: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Orthanc knows nobody of this title."""
    one = image(AccessionNumber="AWAY")
    entries = archive(pacs.dicom, "attempts = 1\n", called="ELSEWHERE")
    async with pulling(tmp_path, pacs.dicom, entries) as opened:
        await filled(pacs, opened, one)
        code, said = await command(opened, tmp_path, monkeypatch, capsys, "--accession", "AWAY")
        assert code == 1
        assert f"{one.StudyInstanceUID}: answered " in said
        (line,) = await opened.ledger.waiting()
        assert (line.kind, line.state, line.about, line.detail) == ("pull", "dead", "vna", "0/1")
        assert line.reason is not None
        assert line.reason.startswith("answered ")
        assert opened.sample(PULLED, result="failed") == 1
        actor = Actor.anonymous()
        await opened.ledger.discard(actor, line.id, "not known there")
        assert await opened.ledger.waiting() == ()


async def test_by_the_clock_what_is_new_is_fetched_and_nothing_twice(
    pacs: Orthanc, tmp_path: Path
) -> None:
    today, study, ours = f"{now():%Y%m%d}", generate_uid(), ports.free_port()
    first = image(StudyInstanceUID=study, StudyDate=today)
    late = image(StudyInstanceUID=study, StudyDate=today)
    entries = archive(pacs.dicom, "every_minutes = 60\n")
    await asyncio.to_thread(pacs.knows, "gateway", "OSTEOSERVE", ours)
    await asyncio.to_thread(pacs.post, "/instances", file(first))
    async with pulling(tmp_path, pacs.dicom, entries, gateway_dicom_port=ours) as opened:

        async def became(known: set[Any]) -> str:
            """Return what became of the study by the clock's next question."""

            async def done() -> bool:
                found = await rows(opened, PullRow.id, PullRow.state)
                new = [state for id, state in found if id not in known]
                return bool(new) and all(state not in UNDER_WAY for state in new)

            await opened.until(done, 200)
            await opened.finished(200)
            found = await rows(
                opened, PullStudyRow.pull_id, PullStudyRow.state, PullStudyRow.study_uid
            )
            (state,) = [state for id, state, uid in found if id not in known and uid == study]
            return str(state)

        async def again() -> str:
            """Let the hour pass."""
            known = {row[0] for row in await rows(opened, PullRow.id)}
            before = {"created_at": now() - timedelta(hours=2)}
            await opened.database.write(
                lambda connection: connection.execute(update(PullRow).values(**before))
            )
            return await became(known)

        assert await became(set()) == "fetched"
        # Its result is in the archive now, in the same study: that comes back once, as ours.
        assert await again() == "fetched"
        assert await again() == "skipped"
        balance = await opened.ledger.balance()
        assert (balance.delivered, balance.superseded, balance.ignored) == (1, 0, 2)
        await filled(pacs, opened, late)
        assert await again() == "fetched"
        balance = await opened.ledger.balance()
        assert (balance.delivered, balance.superseded) == (1, 1)
        states = await rows(opened, ArrivalRow.sop_uid, ArrivalRow.state)
        assert {uid for uid, state in states if state == "held"} == {
            first.SOPInstanceUID, late.SOPInstanceUID,
        }  # fmt: skip


async def test_what_others_have_pushed_is_not_fetched_by_the_clock(
    pacs: Orthanc, tmp_path: Path
) -> None:
    pushed, ours = image(StudyDate=f"{now():%Y%m%d}"), ports.free_port()
    entries = archive(pacs.dicom, "every_minutes = 60\n")
    await asyncio.to_thread(pacs.knows, "gateway", "OSTEOSERVE", ours)
    async with pulling(tmp_path, pacs.dicom, entries, gateway_dicom_port=ours) as opened:
        await opened.ledger.receive(arrival(pushed, is_own=False))
        await filled(pacs, opened, pushed)
        pulls, peers = opened.resources.get(Pulls), opened.resources.get(Peers)
        await opened.database.write(
            lambda connection: connection.execute(
                update(PullRow).values(created_at=now() - timedelta(hours=2), state="done")
            )
        )
        await pulls.schedule("default", peers.archive[0])

        async def told() -> bool:
            found = await rows(opened, PullStudyRow.study_uid, PullStudyRow.reason)
            return (pushed.StudyInstanceUID, "pushed") in found

        await opened.until(told, 200)
        await opened.finished(200)


async def test_what_a_person_gives_up_ends_at_once(tmp_path: Path) -> None:
    named = [answer(StudyInstanceUID="1.2.3", AccessionNumber="A")]
    with serving(Archive(lambda _: named)) as vna:
        entries = archive(vna.port, title="VNA")
        async with pulling(tmp_path, ports.free_port(), entries) as opened:
            pulls = opened.resources.get(Pulls)
            id = await pulls.ask(Actor.anonymous(), "vna", Question(accession="A"))

            async def moving() -> bool:
                return bool(vna.moved)

            await opened.until(moving)
            await opened.ledger.discard(Actor.anonymous(), id, "no more wanted")
            assert await asyncio.to_thread(vna.cancelled.wait, 10)
            progress = await pulls.progress(id)
            assert progress is not None
            assert (progress.state, progress.studies) == ("discarded", {"waiting": 1})


async def test_a_gateway_that_stops_leaves_it_to_the_next_one(tmp_path: Path) -> None:
    named = [answer(StudyInstanceUID="1.2.3", AccessionNumber="A")]
    with serving(Archive(lambda _: named)) as vna:
        entries = archive(vna.port, title="VNA")
        for _ in range(2):
            vna.cancelled.clear()
            before = len(vna.moved)
            async with pulling(tmp_path, ports.free_port(), entries) as opened:
                pulls = opened.resources.get(Pulls)
                if not before:
                    id = await pulls.ask(Actor.anonymous(), "vna", Question(accession="A"))

                async def moving(before: int = before) -> bool:
                    return len(vna.moved) > before

                await opened.until(moving)
            assert vna.cancelled.wait(10)
        assert len(vna.asked) == 1, "what it has is known, and not asked for again"
        async with pulling(tmp_path, ports.free_port(), entries) as opened:
            progress = await opened.resources.get(Pulls).progress(id)
            assert progress is not None
            assert progress.state in UNDER_WAY
            await opened.ledger.discard(Actor.anonymous(), id, "enough")
