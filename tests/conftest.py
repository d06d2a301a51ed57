"""Several workers (``pytest -n 2``, as ``make test`` runs it) share the processors.

A worker computes with one thread: two that each take every processor get in each other's way.
Whatever is set already stands, and a run without workers is as it always was.

No drawn example has a limit in time: what one takes depends on what else the machine does.

What a module's tests leave open is found at that module's end, and is its own failure: otherwise
the garbage collector would come upon it later, in the test of another.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

if "PYTEST_XDIST_WORKER" in os.environ:
    # Read when NumPy and TensorFlow are loaded, which no plugin has done yet.
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
    ):
        os.environ.setdefault(name, "1")


def pytest_collection_finish() -> None:
    # What the modules have loaded stays to the end, so that no collection goes through it again.
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def nothing_left_open() -> Iterator[None]:
    yield
    gc.collect()
