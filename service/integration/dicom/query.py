"""Query/Retrieve SCU (PS3.4 Annex C, Study Root): what an archive has, and having it sent.

Whatever an archive answers beside the question is left out. Nothing lasts longer than its
:class:`Patience`, and whoever gives a question up ends it within a second: by C-CANCEL, and by an
abort where that is not heard.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pydicom.dataset import Dataset
from pynetdicom.association import Association

from service.integration.dicom import head
from service.integration.dicom.outgoing import Called, NotConnectedError, associated
from service.integration.pulls.schemas import Fetched, Question, Study, is_uid
from service.integration.statuses import NO_CONTEXT

FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
MOVE: Final = "1.2.840.10008.5.1.4.1.2.2.2"
GET: Final = "1.2.840.10008.5.1.4.1.2.2.3"

TICK_SECONDS: Final = 0.5
SILENT_SECONDS: Final = 30.0
"""How long an archive may look for the next study that fits."""
MOST_SERIES: Final = 1000
"""Of one study."""
CANCEL_SECONDS: Final = 5.0
"""How long the answer to a C-CANCEL is waited for."""
_PENDING: Final = (0xFF00, 0xFF01)
_SUCCESS: Final = 0x0000
_INCOMPLETE: Final = 0xB000
_FINAL: Final = (0x0122, 0x0124, 0x0211, 0xA801, 0xA900)
"""No such SOP class; not authorised; no such operation; move destination unknown; the identifier
does not fit the SOP class (PS3.4 C.4.1.1.4, C.4.2.1.5, PS3.7 annex C): another attempt is the same.
"""


class QueryError(Exception):
    """An archive did not answer; ``passes``: another attempt may succeed."""

    def __init__(self, reason: str, *, passes: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passes = passes


class Patience:
    """How long somebody is waited for, and whether anybody still wants the answer.

    ``cancel`` may be called by any thread.
    """

    def __init__(self, seconds: float, silent: float | None = None) -> None:
        """``silent``: seconds between two messages; None: as long as all of it may take."""
        self._end = time.monotonic() + seconds
        self._silent = seconds if silent is None else silent
        self._cancelled = threading.Event()
        self._is_told = False

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        self._cancelled.set()

    @property
    def is_over(self) -> bool:
        """Whether the other side is waited for no more, or has been told to end."""
        return self.is_cancelled or self._is_told or time.monotonic() >= self._end

    @contextmanager
    def on(self, association: Association, model: str) -> Iterator[None]:
        """Have ``association`` wait for messages about ``model`` no longer than this.

        pynetdicom waits for one message in one go, and cannot be told that it is not wanted any
        more. There is no hook.
        """
        dimse: Any = association.dimse
        before = dimse.get_msg

        def get(block: bool = False) -> Any:
            if not block:
                return before(block=False)
            end = time.monotonic() + (CANCEL_SECONDS if self._is_told else self._silent)
            while True:
                # What an archive has said before it went counts.
                try:
                    return dimse.msg_queue.get(timeout=TICK_SECONDS)
                except queue.Empty:
                    is_late = time.monotonic() >= end
                if _is_gone(association) or (is_late and self._is_told):
                    return None, None
                if not self._is_told and (is_late or self.is_over):
                    self._is_told = True
                    end = time.monotonic() + CANCEL_SECONDS
                    association.send_c_cancel(1, query_model=model)

        dimse.get_msg = get
        try:
            yield
        finally:
            dimse.get_msg = before


def _is_gone(association: Association) -> bool:
    return association.acse.is_aborted() or not association.is_established


def studies(to: Called, question: Question, patience: Patience) -> list[Study]:
    """Return the studies at ``to`` that fit ``question``, each once.

    Raises :class:`QueryError`.
    """
    try:
        with associated(to, [FIND]) as association:
            found = {
                one.study_uid: one
                for one in _studies(association, question, patience)
            }  # fmt: skip
            if not question.modalities:
                return list(found.values())
            narrowed = []
            for one in found.values():
                wanted = _series(association, one.study_uid, question, patience)
                if wanted:
                    narrowed.append(
                        Study(study_uid=one.study_uid, series=wanted, instances=one.instances)
                    )
            return narrowed
    except NotConnectedError as error:
        raise QueryError(error.reason, passes=error.passes) from None


def _studies(
    association: Association, question: Question, patience: Patience
) -> Iterator[Study]:  # fmt: skip
    keys = Dataset()
    keys.QueryRetrieveLevel = "STUDY"
    keys.StudyInstanceUID = question.study_uid
    keys.AccessionNumber = question.accession
    keys.PatientID = question.patient
    if question.issuer:
        keys.IssuerOfPatientID = question.issuer
    if not (question.patient + question.issuer + question.accession).isascii():
        keys.SpecificCharacterSet = "ISO_IR 192"
    keys.StudyDate = _days(question)
    # Of several any may be matched, which not every archive does: each series is looked at then.
    keys.ModalitiesInStudy = question.modalities[0] if len(question.modalities) == 1 else ""
    keys.NumberOfStudyRelatedInstances = None
    for one in find(association, FIND, keys, question.most, patience):
        if _fits(one, question):
            yield Study(study_uid=said(one, "StudyInstanceUID"), instances=_count(one))


def _days(question: Question) -> str:
    since, until = (
        "" if day is None else f"{day:%Y%m%d}" for day in (question.since, question.until)
    )
    return f"{since}-{until}" if since or until else ""


def _fits(one: Dataset, question: Question) -> bool:
    """Whether an archive's answer is one to the question, by what it says itself.

    An issuer, and which modalities there are, it need not say.
    """
    if not is_uid(said(one, "StudyInstanceUID")):
        return False
    wanted = (
        ("StudyInstanceUID", question.study_uid),
        ("AccessionNumber", question.accession),
        ("PatientID", question.patient),
    )
    if any(value and said(one, name) != value for name, value in wanted):
        return False
    issuer = said(one, "IssuerOfPatientID")
    if question.issuer and issuer not in ("", question.issuer):
        return False
    day = said(one, "StudyDate").replace(".", "")
    since, _, until = _days(question).partition("-")
    if (since and day < since) or (until and day > until):
        return False
    modalities = {part.strip().upper() for part in said(one, "ModalitiesInStudy").split("\\")} - {
        ""
    }
    return not (question.modalities and modalities and modalities.isdisjoint(question.modalities))


def _count(one: Dataset) -> int | None:
    number = said(one, "NumberOfStudyRelatedInstances")
    return int(number) if number.isascii() and number.isdigit() else None


def _series(
    association: Association, study_uid: str, question: Question, patience: Patience
) -> tuple[str, ...]:
    """Return the series of a study whose modality is wanted."""
    keys = Dataset()
    keys.QueryRetrieveLevel = "SERIES"
    keys.StudyInstanceUID = study_uid
    keys.SeriesInstanceUID = ""
    keys.Modality = ""
    found = []
    for one in find(association, FIND, keys, MOST_SERIES, patience):
        if said(one, "Modality").upper() in question.modalities:
            found.append(said(one, "SeriesInstanceUID"))
    return tuple(sorted({uid for uid in found if is_uid(uid)}))


def said(one: Dataset, name: str) -> str:
    """Return what an answer says, empty where that cannot be read."""
    try:
        return head.text(one, name)
    except head.HeadError:
        return ""


def find(
    association: Association, model: str, keys: Dataset, most: int, patience: Patience
) -> list[Dataset]:
    """Return what a C-FIND with ``keys`` is answered, in the order that it comes.

    Raises :class:`QueryError`; of more than ``most`` answers that it is too many.
    """
    head.hush()
    found: list[Dataset] = []
    with patience.on(association, model):
        for status, one in association.send_c_find(keys, model):
            if "Status" not in status:
                raise _silent(association, patience)
            code = int(status.Status)
            if code in _PENDING:
                if one is None:
                    raise QueryError("unreadable", passes=False)
                found.append(one)
                if len(found) > most:
                    association.abort()
                    raise QueryError("too_many", passes=False)
            elif code != _SUCCESS:
                raise _refused(code, patience)
    return found


def retrieve(
    association: Association, model: str, study: Study, to: str, patience: Patience
) -> Fetched:
    """Have a study sent to the title ``to`` (C-MOVE), or on ``association`` (C-GET)."""
    keys = Dataset()
    keys.QueryRetrieveLevel = "STUDY" if study.series is None else "SERIES"
    keys.StudyInstanceUID = study.study_uid
    if study.series is not None:
        keys.SeriesInstanceUID = list(study.series)
    if not any(str(one.abstract_syntax) == model for one in association.accepted_contexts):
        return Fetched(reason=NO_CONTEXT, passes=False)
    if model == GET:
        answers = association.send_c_get(keys, model)
    else:
        answers = association.send_c_move(keys, to, model)
    last = Dataset()
    with patience.on(association, model):
        for status, _ in answers:
            if "Status" not in status:
                error = _silent(association, patience)
                return Fetched(objects=_done(last), reason=error.reason, passes=error.passes)
            last = status
    return _judge(last, patience)


def _judge(last: Dataset, patience: Patience) -> Fetched:
    code, done = int(last.Status), _done(last)
    failed = int(last.get("NumberOfFailedSuboperations") or 0)
    if code not in (_SUCCESS, _INCOMPLETE):
        error = _refused(code, patience)
        return Fetched(objects=done, reason=error.reason, passes=error.passes)
    if code == _INCOMPLETE or failed:
        # Some archives say so of warnings alone, which are objects that came.
        return Fetched(objects=done, reason="incomplete" if failed or not done else None)
    if not done and "NumberOfCompletedSuboperations" in last:
        return Fetched(reason="nothing_came")
    return Fetched(objects=done)


def _done(last: Dataset) -> int:
    counts = ("NumberOfCompletedSuboperations", "NumberOfWarningSuboperations")
    return sum(int(last.get(name) or 0) for name in counts)


def _refused(code: int, patience: Patience) -> QueryError:
    if patience.is_cancelled:
        return QueryError("cancelled")
    if patience.is_over:
        return QueryError("no_answer")
    return QueryError(f"answered {code:04X}", passes=code not in _FINAL)


def _silent(association: Association, patience: Patience) -> QueryError:
    if patience.is_cancelled:
        return QueryError("cancelled")
    # pynetdicom aborts what does not answer in time, and then alone.
    return QueryError("no_answer" if association._sent_abort else "cut off")
