"""What becomes of files that are put in, with toys in place of models and sheets."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from models.image.errors import CorruptFileError
from service.edge import watching
from service.edge.folder import SETTLE_SECONDS, WatchedFolder
from service.edge.watching import MOST_ATTEMPTS, Answering, Watch
from service.exams.schemas import Exam
from service.exams.service import Exams
from service.flow.priority import Priority
from service.identity.actor import Actor
from service.language.locale import current
from service.medicine.osteoporosis.pipeline import OverloadedError
from service.predictions.answers import ANSWER_EXAMPLE, PredictionAnswer
from service.predictions.report.sheets import Sheets
from service.predictions.schemas import EXAMPLE, Prediction
from service.predictions.service import Predictions
from telemetry import journal

pytestmark = pytest.mark.anyio

NAME = "SECRET^NAME.dcm"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Toy:
    """Answers every file with the example, but those that are to be told something else."""

    def __init__(self) -> None:
        self.raises: list[Exception] = []
        self.asked: list[tuple[Actor, bytes, Priority, str | None, str | None]] = []
        self.languages: list[str] = []
        self.exam: Exam | None = None

    async def predict(
        self,
        actor: Actor,
        data: bytes,
        priority: Priority,
        key: str | None = None,
        *,
        name: str | None = None,
    ) -> Prediction:
        self.asked.append((actor, data, priority, key, name))
        if self.raises:
            raise self.raises.pop(0)
        return Prediction(**EXAMPLE)

    async def get(self, *_: object) -> Exam | None:
        return self.exam

    async def pdf(self, *_: object) -> bytes:
        self.languages.append(current().code)
        return b"%PDF"


class Edge:
    def __init__(self, root: Path, **answering: Any) -> None:
        self.toy = Toy()
        self.clock = Clock()
        self.folder = WatchedFolder(root, self.clock)
        self.folder.open()
        told = {"most": 100, "zone": ZoneInfo("UTC"), **answering}
        self.watch = Watch(
            self.folder,
            cast("Predictions", self.toy),
            cast("Exams", self.toy),
            cast("Sheets", self.toy),
            Answering(**told),
        )

    def put(self, name: str = NAME, content: bytes = b"scan") -> Path:
        path = self.folder.incoming / name
        path.write_bytes(content)
        return path

    async def settle(self) -> bool:
        """Judge what is there once it has settled."""
        await self.watch.step()
        self.clock.now += SETTLE_SECONDS
        return await self.watch.step()

    @property
    def waiting(self) -> list[str]:
        return sorted(one.name for one in self.folder.incoming.iterdir())

    def only(self, shelf: str) -> Path:
        (found,) = (self.folder.root / shelf).iterdir()
        return found

    @property
    def reason(self) -> dict[str, str]:
        said: dict[str, str] = json.loads((self.only("refused") / "reason.json").read_text())
        return said


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    return Edge(tmp_path / "edge")


async def test_a_scan_lies_beside_its_result_and_its_sheet(edge: Edge) -> None:
    edge.put()
    assert await edge.settle()

    place = edge.only("judged")
    assert place.name == EXAMPLE["id"]
    assert sorted(one.name for one in place.iterdir()) == ["report.pdf", "result.json", "scan.dcm"]
    said = json.loads((place / "result.json").read_text())
    assert said.pop("file") == NAME
    assert said == PredictionAnswer.told(Prediction(**EXAMPLE), None).document()
    assert edge.waiting == []
    ((_, data, priority, key, name),) = edge.toy.asked
    assert (data, priority, name) == (b"scan", Priority.BULK, NAME)
    assert key is not None
    assert key.startswith("edge/")


async def test_what_contradicts_the_t_score_stands_beside_it_in_english(tmp_path: Path) -> None:
    edge = Edge(tmp_path / "edge", language="de", keeps_names=False)
    facts = {"t_score": -1.8, "vertebrae": ("L1", "L2"), "sex": "female", "age_years": 67}
    edge.toy.exam = Exam.model_validate({"prediction_id": EXAMPLE["id"], **facts})
    edge.put()
    await edge.settle()
    assert json.loads((edge.only("judged") / "result.json").read_text()) == ANSWER_EXAMPLE


async def test_the_same_bytes_are_asked_for_under_the_same_key(edge: Edge) -> None:
    for name, content in (("a", b"scan"), ("b", b"scan"), ("c", b"other")):
        edge.put(name, content)
        await edge.settle()
    first, second, third = (key for _, _, _, key, _ in edge.toy.asked)
    assert first == second
    assert first != third


async def test_the_sheet_speaks_the_folder_s_language(tmp_path: Path) -> None:
    edge = Edge(tmp_path / "edge", language="de")
    edge.put()
    await edge.settle()
    assert edge.toy.languages == ["de"]
    assert current().code == "en"


async def test_a_name_that_is_not_to_be_kept_is_in_no_answer(tmp_path: Path) -> None:
    edge = Edge(tmp_path / "edge", keeps_names=False)
    edge.put()
    await edge.settle()
    assert "file" not in json.loads((edge.only("judged") / "result.json").read_text())


async def test_a_name_of_no_characters_harms_nothing(edge: Edge) -> None:
    (edge.folder.incoming / "a\udcff\n.dcm").write_bytes(b"scan")
    assert await edge.settle()
    assert json.loads((edge.only("judged") / "result.json").read_text())["file"] == "a.dcm"


async def test_what_is_no_scan_is_refused_with_the_reason(edge: Edge) -> None:
    edge.toy.raises = [CorruptFileError("The file is cut short.")]
    edge.put()
    assert await edge.settle()
    assert edge.reason == {
        "file": NAME, "code": "corrupt_file", "detail": "The file is cut short."
    }  # fmt: skip
    assert (edge.only("refused") / "scan").read_bytes() == b"scan"
    assert edge.waiting == []


async def test_what_is_too_large_is_not_read(edge: Edge) -> None:
    edge.put(content=bytes(101))
    assert await edge.settle()
    assert edge.reason["code"] == "payload_too_large"
    assert "100 bytes" in edge.reason["detail"]
    assert edge.toy.asked == []


async def test_a_link_is_put_away_and_not_what_it_names(edge: Edge, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (edge.folder.incoming / "a.dcm").symlink_to(secret)
    assert await edge.settle()
    assert edge.reason["code"] == "not_a_file"
    assert edge.toy.asked == []
    assert secret.read_bytes() == b"secret"


async def test_a_file_waits_while_there_is_too_much_to_do_and_others_do_not(edge: Edge) -> None:
    edge.toy.raises = [OverloadedError("All decoders are busy.", 1.0)] * 2
    edge.put("a.dcm")
    assert not await edge.settle()
    assert edge.waiting == ["a.dcm"]
    assert not await edge.watch.step()
    assert await edge.watch.step()
    assert edge.waiting == []
    assert list(edge.folder.root.glob("refused/*")) == []


async def test_a_file_that_breaks_something_is_given_up_and_others_are_judged(edge: Edge) -> None:
    edge.put("a.dcm")
    await edge.watch.step()
    edge.clock.now += SETTLE_SECONDS
    for _ in range(MOST_ATTEMPTS):
        assert edge.waiting == ["a.dcm"]
        edge.toy.raises = [ValueError("SECRET")]
        assert not await edge.watch.step()
    assert edge.waiting == []
    assert edge.reason["code"] == "internal_error"
    assert "SECRET" not in json.dumps(edge.reason).replace(NAME, "")


async def test_files_are_judged_until_it_stops(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "POLL_SECONDS", 0.01)
    edge.put()
    async with asyncio.timeout(60), edge.watch.watching():
        while edge.waiting:
            edge.clock.now += SETTLE_SECONDS
            await asyncio.sleep(0.01)
    assert len(edge.toy.asked) == 1


async def test_a_log_has_the_result_s_id_and_no_name(edge: Edge, lines: io.StringIO) -> None:
    journal.configure("plain", "info", lines)
    edge.put()
    await edge.settle()
    edge.toy.raises = [CorruptFileError("SECRET"), ValueError("SECRET")]
    edge.put("SECRET 2.dcm")
    edge.put("SECRET 3.dcm")
    await edge.settle()
    assert f"file judged prediction={EXAMPLE['id']}" in lines.getvalue()
    assert "file refused code=corrupt_file" in lines.getvalue()
    assert "bug task=watch_folder" in lines.getvalue().replace("watch folder", "watch_folder")
    assert "SECRET" not in lines.getvalue()
