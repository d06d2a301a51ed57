"""The roofline: the bare runtime in a loop, in one process, no server and no HTTP.

Frames and canonical images in, the stack's answers out, in the runners' batches: no reading, no
gate, no recipe. The process answers a line of seconds with what it did in them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any, Final, Self

from loadtests.processes import ROOT

PYTHON: Final = ROOT / ".venv/runners/bin/python"


class Roofline:
    """The process, between ``with`` and its end; it sleeps while nobody asks."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - this module
            [str(PYTHON), "-m", __name__],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        # At the end of its input it ends.
        self._process.communicate()

    def measure(self, seconds: float) -> dict[str, Any]:
        """Return ``images_per_second``, ``cpu_seconds_per_image`` and ``answers`` over ``seconds``.

        Raises :class:`RuntimeError` where the process has ended.
        """
        print(seconds, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"the roofline's process ended ({self._process.wait()})")
        said: dict[str, Any] = json.loads(line)
        return said


def main() -> None:
    # Engines are loaded by this process alone, not by whoever imports the module.
    import numpy as np  # noqa: PLC0415 - as above

    from loadtests.benchmark.reference import FIRST, Images  # noqa: PLC0415 - as above
    from loadtests.benchmark.servers import shared  # noqa: PLC0415 - as above
    from models.gate import quality  # noqa: PLC0415 - as above
    from models.inference.ensemble import Ensemble  # noqa: PLC0415 - as above

    ensemble, gate, png = Ensemble(), quality.served_gate(), Images().png
    read = [shared.framed(png(number)) for number in range(FIRST)]
    frames = np.stack([frame for _, frame in read])
    found = ensemble.outliner.outline(frames)
    ready = (
        shared.prepared(*one, outlined, gate) for one, outlined in zip(read, found, strict=True)
    )
    images = np.stack([image for image in ready if image is not None])

    def work() -> list[dict[str, Any]]:
        said = []
        for start in range(0, FIRST, shared.BATCH):
            ensemble.outliner.outline(frames[start : start + shared.BATCH])
            said += ensemble.predict(images[start : start + shared.BATCH])
        return [shared.answer(one) for one in said]

    work()
    for line in sys.stdin:
        count, cpu, begun = 0, time.process_time(), time.perf_counter()
        while (spent := time.perf_counter() - begun) < float(line):
            answers = work()
            count += FIRST
        said = {
            "images_per_second": count / spent,
            "cpu_seconds_per_image": (time.process_time() - cpu) / count,
            "answers": [(n, a["probability"], a["outcome"]) for n, a in enumerate(answers)],
        }
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
