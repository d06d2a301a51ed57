"""UIDs of results: made of what a result is made of, so that the same result has the same ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID, uuid5

TEMPLATE: Final = "3"
"""Of report and capture: another look, or other codes, are another result."""

_SPACE: Final = UUID("5ad2b5f1-5d1e-4a54-9d53-c1a3e0a0d7c4")

Kind = Literal["report", "capture", "document"]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a result is made of."""

    study_uid: str
    hashes: tuple[str, ...]
    """SHA-256 of the objects that were judged."""
    versions: tuple[str, ...]
    """Of the models that judged them, in the same order; empty where one was refused."""
    revision: int

    def series(self, kind: Kind) -> str:
        """Return the UID of the series that results of ``kind`` are in."""
        return self._uid("series", kind)

    def instance(self, kind: Kind, number: int = 0) -> str:
        """Return the UID of one result."""
        return self._uid("instance", kind, str(number))

    def _uid(self, *parts: str) -> str:
        made_of: Sequence[object] = (
            self.study_uid,
            sorted(zip(self.hashes, self.versions, strict=True)),
            TEMPLATE,
            self.revision,
            parts,
        )
        return uid(json.dumps(made_of, separators=(",", ":")))


def uid(name: str) -> str:
    """Return the UID of ``name`` under 2.25 (PS3.5 B.2), at most 44 characters."""
    return f"2.25.{uuid5(_SPACE, name).int}"


DEVICE: Final = uid("device")
"""This product's own, which every result names as its observer."""
