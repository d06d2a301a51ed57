"""``python -m tests.e2e.alike URL``: what the edge at ``URL`` answers otherwise than the one here.

For an edge on another kind of processor. Phantoms in all formats that are read are sent to it and
to an edge that is started here, or to the one that ``--beside`` names, and both answers are held
together: what is decided has to be the same, probabilities and confidences to :data:`ALIKE`, and
all other numbers to :data:`NEAR`. Both have to let anybody in: ``OSTEOSERVE_AUTH=none``, on
loopback, with ``ssh -L`` or the like before one that is elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

from loadtests.images import FORMATS
from models import phantom
from models.phantom import Artefact, Phantom, dicom
from models.types import LABELS
from tests.e2e.costly import API
from tests.e2e.served import serving_edge

ALIKE: Final = 0.01
"""Most that a probability or a confidence may differ by."""
NEAR: Final = 0.1
"""Most that any other number may: pixels of the image as it was sent, degrees, logit units."""
SEED: Final = 26
PATIENCE: Final = 600.0
"""Seconds for one answer: an emulated processor takes many times as long."""
OWN: Final = frozenset({"id", "created_at", "timings_ms"})
"""What no two answers have in common."""

Document = Mapping[str, Any]


def files() -> dict[str, bytes]:
    """Return the files that are sent, by what they are."""
    kinds: dict[str, Callable[[Phantom, int], bytes]] = {
        **{name: one.encode for name, one in FORMATS.items()},
        "dicom-jpeg-ls": lambda one, _: _compressed(one, JPEGLSLossless),
        "dicom-jpeg-2000": lambda one, _: _compressed(one, JPEG2000Lossless),
    }
    rng, labels = np.random.default_rng(SEED), cycle(LABELS)

    def drawn(artefact: Artefact) -> Phantom:
        return phantom.draw(rng, next(labels), artefact=artefact)

    found = {
        name: encode(drawn(Artefact.NONE), number)
        for number, (name, encode) in enumerate(kinds.items())
    }
    for artefact in (Artefact.IMPLANT, Artefact.FRACTURE, Artefact.OBESITY):
        found[f"png, {artefact}"] = kinds["png"](drawn(artefact), 0)
    return found


def _compressed(one: Phantom, syntax: str) -> bytes:
    data = dcmread(io.BytesIO(dicom.encode(one, bits=12)))
    data.compress(syntax, generate_instance_uid=False)
    buffer = io.BytesIO()
    data.save_as(buffer)
    return buffer.getvalue()


@dataclass
class Beside:
    """What answers differ by: the furthest of each number, and in words what should not be."""

    furthest: dict[str, float] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def hold(self, name: str, here: Document, there: Document) -> None:
        """Hold the answer from ``there`` to the one from ``here``, both about the file ``name``."""
        ours, theirs = dict(_leaves(here)), dict(_leaves(there))
        for path in sorted({*ours, *theirs}):
            one, other = ours.get(path), theirs.get(path)
            if isinstance(one, float) and isinstance(other, float):
                self._number(name, path, abs(one - other))
            elif one != other:
                self.missed.append(f"{name}: {path}: {one} here, {other} there")

    def _number(self, name: str, path: str, far: float) -> None:
        label = ".".join(part for part in path.split(".") if not part.isdecimal())
        self.furthest[label] = max(far, self.furthest.get(label, 0.0))
        if far > (ALIKE if label.endswith(("probability", "confidence")) else NEAR):
            self.missed.append(f"{name}: {path}: {far:.4f} apart")


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what is in an answer, each with where it stands."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if path or key not in OWN:
                yield from _leaves(one, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        yield f"{path}.length", str(len(value))
        for number, one in enumerate(value):
            # Measurements come by weight, which may put two that weigh the same the other way.
            key = one["name"] if isinstance(one, Mapping) and "name" in one else number
            yield from _leaves(one, f"{path}.{key}")
    else:
        yield path, value


async def answers(url: str, sent: Mapping[str, bytes]) -> dict[str, Document]:
    """Return what the edge at ``url`` says of each file.

    Raises :class:`httpx.HTTPError`, or ``TimeoutError`` where one takes :data:`PATIENCE`.
    """
    found = {}
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as client:
        for name, data in sent.items():
            async with asyncio.timeout(PATIENCE):
                response = await client.post(API, content=data)
                while response.status_code == 503 and "retry-after" in response.headers:
                    await asyncio.sleep(float(response.headers["retry-after"]))
                    response = await client.post(API, content=data)
            response.raise_for_status()
            found[name] = response.json()
    return found


async def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.alike", description=__doc__)
    parser.add_argument("url", help="of the edge on the other machine")
    parser.add_argument("--beside", help="URL of the edge that it is held to; else one of here")
    options = parser.parse_args(arguments)
    sent, beside = files(), Beside()
    async with AsyncExitStack() as held:
        url = options.beside
        if url is None:
            var = held.enter_context(tempfile.TemporaryDirectory())
            url, _ = await held.enter_async_context(serving_edge(Path(var)))
        try:
            here, there = await answers(url, sent), await answers(options.url, sent)
        except (httpx.HTTPError, TimeoutError) as error:
            print(f"no answer: {error!r}", file=sys.stderr)
            return 2
    for name in sent:
        beside.hold(name, here[name], there[name])
    outcomes = ", ".join(sorted(str(one["outcome"]) for one in here.values()))
    print(f"{len(sent)} files, held to an edge beside {platform.machine()}: {outcomes}")
    for label, far in beside.furthest.items():
        print(f"{far:.7f}  {label}")
    for words in beside.missed:
        print(f"missed: {words}")
    return 1 if beside.missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
