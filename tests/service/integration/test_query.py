"""What an archive is asked, what of its answers is believed, and how long it is waited for."""

from __future__ import annotations

import threading
import time
from datetime import date
from typing import Any

import pytest
from pydicom.dataset import Dataset

from service.integration.dicom import head, query
from service.integration.dicom.outgoing import associated
from service.integration.dicom.query import MOVE, Patience, QueryError
from service.integration.pulls.schemas import Fetched, Question, QuestionError, Study
from tests.service.integration.archives import Archive, answer, serving


def has(*studies: Dataset, **series: dict[str, str]) -> Any:
    """Answer with ``studies``; ``series``: UID and modality, by the study's last component."""

    def answers(keys: Dataset) -> list[Dataset | int]:
        if keys.QueryRetrieveLevel == "STUDY":
            return list(studies)
        found = series["_" + keys.StudyInstanceUID.rsplit(".", 1)[1]]
        return [answer(SeriesInstanceUID=uid, Modality=which) for uid, which in found.items()]

    return answers


def ask(archive: Archive, seconds: float = 20, **question: Any) -> list[Study]:
    asked = Question(**question)
    return query.studies(archive.called, asked, Patience(seconds, seconds))


def test_what_fits_by_its_own_word_is_believed_and_nothing_else() -> None:
    head.hush()
    day = {"StudyDate": "20260110"}
    every = has(
        answer(StudyInstanceUID="1.2.1", PatientID="4711", IssuerOfPatientID="H", **day),
        answer(StudyInstanceUID="1.2.2", PatientID="4711", NumberOfStudyRelatedInstances=3, **day),
        # An archive that does not match by what it is asked for.
        answer(StudyInstanceUID="1.2.3", PatientID="4712", **day),
        answer(StudyInstanceUID="1.2.4", PatientID="4711", IssuerOfPatientID="X", **day),
        answer(StudyInstanceUID="1.2.5", PatientID="4711", StudyDate="20260109"),
        answer(StudyInstanceUID="1.2.6", PatientID="4711", StudyDate="20260112"),
        answer(StudyInstanceUID="1.2.7", PatientID="4711"),
        answer(StudyInstanceUID="../x", PatientID="4711", **day),
        answer(StudyInstanceUID="1.2.8", PatientID="4711", ModalitiesInStudy=["CT", "MR"], **day),
    )
    with serving(Archive(every)) as archive:
        found = ask(
            archive, patient="4711", issuer="H", since=date(2026, 1, 10), until=date(2026, 1, 11)
        )
    assert [(one.study_uid, one.instances) for one in found] == [
        ("1.2.1", None), ("1.2.2", 3), ("1.2.8", None),
    ]  # fmt: skip
    (keys,) = archive.asked
    assert (keys.PatientID, keys.IssuerOfPatientID) == ("4711", "H")
    assert keys.StudyDate == "20260110-20260111"


def test_of_a_modality_only_its_series_are_wanted() -> None:
    every = has(
        answer(StudyInstanceUID="1.2.1", StudyDate="20260110", ModalitiesInStudy=["CT", "OT"]),
        answer(StudyInstanceUID="1.2.2", StudyDate="20260110"),
        answer(StudyInstanceUID="1.2.3", StudyDate="20260110", ModalitiesInStudy="CT"),
        _1={"1.1": "CT", "1.2": "OT", "1.3": "ot"},
        _2={"2.1": "MR"},
    )
    with serving(Archive(every)) as archive:
        found = ask(archive, since=date(2026, 1, 1), modalities=("OT",))
    assert found == [Study(study_uid="1.2.1", series=("1.2", "1.3"))]
    assert archive.asked[0].ModalitiesInStudy == "OT"
    assert [one.StudyInstanceUID for one in archive.asked[1:]] == ["1.2.1", "1.2.2"]


@pytest.mark.parametrize(
    ("answers", "reason", "passes"),
    [
        ([0xA700], "answered A700", True),
        ([0xA900], "answered A900", False),
        ([0x0122], "answered 0122", False),
        ([0x0211], "answered 0211", False),
        ([0xC001], "answered C001", True),
        ([answer(StudyInstanceUID=f"1.{n}", AccessionNumber="A") for n in range(1, 5)],
         "too_many", False),
    ],
)  # fmt: skip
def test_an_archive_that_does_not_answer_says_why(
    answers: list[Any], reason: str, passes: bool
) -> None:
    with serving(Archive(lambda _: answers)) as archive, pytest.raises(QueryError) as error:
        ask(archive, accession="A", most=3)
    assert (error.value.reason, error.value.passes) == (reason, passes)


def test_nobody_there_and_no_such_service_are_told_apart() -> None:
    with serving(Archive(), [MOVE]) as archive, pytest.raises(QueryError) as error:
        ask(archive, accession="A")
    assert (error.value.reason, error.value.passes) == ("no_context", False)
    with pytest.raises(QueryError) as error:
        ask(archive, accession="A")
    assert (error.value.reason, error.value.passes) == ("unreachable", True)


def test_what_nobody_wants_any_more_is_cancelled_at_once() -> None:
    with serving(Archive(silent=True)) as archive:
        patience = Patience(60)
        threading.Timer(0.5, patience.cancel).start()
        before = time.monotonic()
        with pytest.raises(QueryError, match="cancelled"):
            query.studies(archive.called, Question(accession="A"), patience)
        assert archive.cancelled.wait(5)
    assert time.monotonic() - before < 5


def test_nothing_lasts_longer_than_its_patience() -> None:
    with serving(Archive(silent=True)) as archive, pytest.raises(QueryError, match="no_answer"):
        ask(archive, seconds=1, accession="A")
    assert archive.cancelled.is_set()


def test_an_archive_that_says_nothing_for_long_does_not_answer() -> None:
    with serving(Archive(silent=True)) as archive, pytest.raises(QueryError, match="no_answer"):
        query.studies(archive.called, Question(accession="A"), Patience(60, 1))
    assert archive.cancelled.is_set()


def move(archive: Archive, to: str, patience: Patience, study: Study | None = None) -> Fetched:
    with associated(archive.called, [MOVE]) as association:
        wanted = study or Study(study_uid="1.2.3")
        return query.retrieve(association, MOVE, wanted, to, patience)


def test_a_title_that_the_archive_does_not_know_is_final() -> None:
    with serving(Archive()) as archive:
        found = move(archive, "NOBODY", Patience(20), Study(study_uid="1.2", series=("3", "4")))
    assert found == Fetched(reason="answered A801", passes=False)
    (keys,) = archive.moved
    assert keys.QueryRetrieveLevel == "SERIES"
    assert list(keys.SeriesInstanceUID) == ["3", "4"]


def test_a_study_that_is_not_wanted_any_more_is_cancelled() -> None:
    with serving(Archive()) as archive:
        patience = Patience(60)
        threading.Timer(0.5, patience.cancel).start()
        assert move(archive, "OSTEOSERVE", patience).reason == "cancelled"
        assert archive.cancelled.wait(5)
    assert archive.moved[0].QueryRetrieveLevel == "STUDY"


def test_a_study_that_takes_too_long_is_cancelled() -> None:
    with serving(Archive()) as archive:
        assert move(archive, "OSTEOSERVE", Patience(1)) == Fetched(reason="no_answer")
        assert archive.cancelled.wait(5)


@pytest.mark.parametrize(
    ("code", "counts", "found"),
    [
        (0x0000, (3, 0, 0), Fetched(objects=3)),
        (0x0000, (2, 0, 1), Fetched(objects=3)),
        (0x0000, (2, 1, 0), Fetched(objects=2, reason="incomplete")),
        (0x0000, (0, 0, 0), Fetched(reason="nothing_came")),
        (0xB000, (2, 1, 0), Fetched(objects=2, reason="incomplete")),
        (0xB000, (2, 0, 1), Fetched(objects=3)),
        (0xA701, (0, 0, 0), Fetched(reason="answered A701")),
        (0xA702, (1, 2, 0), Fetched(objects=1, reason="answered A702")),
        (0xA801, (0, 0, 0), Fetched(reason="answered A801", passes=False)),
        (0xA900, (0, 0, 0), Fetched(reason="answered A900", passes=False)),
        (0x0124, (0, 0, 0), Fetched(reason="answered 0124", passes=False)),
        (0xFE00, (1, 0, 0), Fetched(objects=1, reason="answered FE00")),
        (0xC000, (0, 0, 0), Fetched(reason="answered C000")),
    ],
)
def test_the_last_answer_says_what_became_of_a_study(
    code: int, counts: tuple[int, int, int], found: Fetched
) -> None:
    names = ("Completed", "Failed", "Warning")
    last = answer(Status=code, **{
        f"NumberOf{name}Suboperations": count for name, count in zip(names, counts, strict=True)
    })  # fmt: skip
    assert query._judge(last, Patience(20)) == found


def test_an_archive_that_tells_no_numbers_is_believed() -> None:
    assert query._judge(answer(Status=0), Patience(20)) == Fetched()


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({}, "Say which"),
        ({"issuer": "H", "accession": "A"}, "whose|missing"),
        ({"patient": "47*"}, "none of"),
        ({"accession": "A?1"}, "none of"),
        ({"patient": "1\\2"}, "none of"),
        ({"accession": "A" * 65}, "at most 64"),
        ({"study_uid": "1.2/3"}, "UID"),
        ({"since": date(2026, 1, 2), "until": date(2026, 1, 1)}, "before the first"),
    ],
)
def test_a_question_that_is_too_wide_is_not_asked(question: dict[str, Any], said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        Question(**question)


def test_a_question_is_kept_as_it_is() -> None:
    asked = Question(patient="4711", issuer="H", since=date(2026, 1, 2), modalities=("OT",), most=7)
    assert Question.of(asked.document()) == asked
    assert "4711" not in repr(asked)
