"""How a refusal is asserted, in one place: its kind, its sentence, and that it tells no secrets."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from models.image.errors import ScanError
from tests.models.reading.files import PATIENT


@contextmanager
def refused(kind: type[ScanError], match: str | None = None) -> Iterator[None]:
    """Expect an error of ``kind``, with a sentence for people that quotes nothing from the file."""
    with pytest.raises(ScanError, match=match) as caught:
        yield
    error = caught.value
    # By its code, which is what a caller learns: a decoder's failure is a corrupt file's too.
    assert error.code == kind.code, f"{type(error).__name__}: {error}"
    check(error)


def check(error: ScanError) -> None:
    """Check that ``error`` has a code and a sentence that neither tells secrets nor contradicts
    itself: of what was found something is not among what is allowed."""
    assert error.code in {kind.code for kind in ScanError.__subclasses__()}
    sentence = str(error)
    assert sentence.endswith(".")
    assert sentence[0].isupper()
    assert len(sentence) < 200
    if told := re.search(r"(?:is|has) (?=\d)(.*); (.*\d.*) (?:is|are) (?:read|allowed)", sentence):
        found, allowed = (set(re.findall(r"\d+", half)) for half in told.groups())
        assert not found <= allowed, sentence
    # What a log would show: the error with its causes.
    assert PATIENT not in "".join(traceback.format_exception(error))
