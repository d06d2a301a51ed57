"""Errors that whoever asked is told of: one tree, whatever asks and however it is answered.

::

    ServiceError              code, detail, when to try again, fields at fault
    ├── AnalysisError         service.medicine.osteoporosis.pipeline
    ├── StorageError          service.storage.errors
    ├── ExplanationError      service.predictions.heat_maps.service
    ├── KeyReusedError, KeyInvalidError    service.http.idempotency_key
    ├── AccountError, CredentialsError, LinkError …    service.identity.schemas
    ├── FieldsError           fields of a body or a form: ExamError, ReviewError, FactsError
    └── Problem               service.http.problems: one that needs headers of its own

What files cannot be read as is :class:`models.image.errors.ScanError`, which has a code as well.
Nothing here knows HTTP: status and title of a code stand in :mod:`service.http.problem_types`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.image.errors import ScanError


@dataclass(frozen=True)
class Fault:
    """One field that cannot be taken.

    ``code`` is pydantic's kind of error, or a subject's own. ``sentence`` is a key of the
    catalogues, which ``values`` fill: limits and what is allowed, never what was sent.
    """

    field: str
    code: str
    sentence: str
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        return self.sentence % self.values


class ServiceError(Exception):
    """An error with a stable ``code`` for programs and a ``detail`` for people.

    ``detail`` holds no text from a file. ``retry_after``: seconds until the same may be tried
    again; None: not before something changes.
    """

    code: str = "internal_error"

    def __init__(
        self,
        code: str,
        detail: str,
        retry_after: float | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.faults = tuple(faults)


class CodedError(ServiceError):
    """An error whose class gives the code."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(self.code, detail, retry_after)


class FieldsError(CodedError):
    """Fields of a body or a form that cannot be taken; the detail names all of them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        found = tuple(faults)
        told = "; ".join(f"{fault.field}: {fault}" for fault in found)
        super().__init__(f"Not valid: {told.removesuffix('.')}.")
        self.faults = found


def service_error(error: Exception) -> ServiceError:
    """Return ``error`` as whoever asked is told of it; a bug's own text is not among that."""
    match error:
        case ServiceError():
            return error
        case ScanError():
            return ServiceError(error.code, str(error))
        case _:
            return ServiceError("internal_error", "The request could not be answered.")
