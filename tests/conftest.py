"""Several workers (``pytest -n 2``, as ``make test`` runs it) share the processors.

A worker computes with one thread: two that each take every processor get in each other's way.
Whatever is set already stands, and a run without workers is as it always was.

No drawn example has a limit in time: what one takes depends on what else the machine does.
"""

from __future__ import annotations

import os

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
