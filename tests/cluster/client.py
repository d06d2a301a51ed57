"""Send scans to a front from inside the cluster, a connection each, until told to stop.

``client.py URL SCANS WORKERS COUNT``: SCANS is a folder of images; COUNT requests in all, 0: until
/tmp/stop is there. Each line of the output is one request as JSON. Runs in the front's own image.

No two scans are the same: one pixel of each is changed, so that nothing can be answered from what
was answered before.
"""

from __future__ import annotations

import io
import itertools
import json
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

STOP = Path("/tmp/stop")  # noqa: S108 - a volume of this pod's own
PATIENCE_SECONDS = 60
PRINT = threading.Lock()


def scan(images: list[np.ndarray], rng: random.Random) -> bytes:
    pixels = rng.choice(images).copy()
    y, x = rng.randrange(pixels.shape[0]), rng.randrange(pixels.shape[1])
    pixels[y, x] ^= 1 + rng.randrange(3)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def ask(url: str, data: bytes) -> dict[str, Any]:
    began = time.time()
    start = time.perf_counter()
    line: dict[str, Any] = {"at": round(began, 3)}
    try:
        with httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False) as client:
            answer = client.post(f"{url}/api/v1/predictions", content=data)
            stored = client.get(url + answer.headers.get("location", "/nowhere"))
        line["status"] = answer.status_code
        body = answer.json()
        if answer.status_code == 201:
            line |= {key: body[key] for key in ("outcome", "degraded", "missing")}
            line["stored"] = stored.status_code == 200 and stored.json()["id"] == body["id"]
        else:
            line["code"] = body.get("code")
    except (httpx.HTTPError, ValueError) as error:
        line["error"] = f"{type(error).__name__}: {error}"
    line["seconds"] = round(time.perf_counter() - start, 3)
    return line


def wait(url: str) -> None:
    """Until this pod reaches the front at all: policies may take a moment to let a new one."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/health/ready", trust_env=False, timeout=5).status_code == 200:
                return
        except httpx.HTTPError as error:
            if time.monotonic() > end:
                sys.exit(f"never reached {url}: {type(error).__name__}: {error}")
        time.sleep(0.5)


def main(url: str, folder: str, workers: int, count: int) -> None:
    images = [np.asarray(Image.open(path)) for path in sorted(Path(folder).glob("*.png"))]
    wait(url)
    numbers = itertools.count()

    def work(seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311 - pixels, not secrets
        while not STOP.exists() and (not count or next(numbers) < count):
            line = ask(url, scan(images, rng))
            with PRINT:
                print(json.dumps(line), flush=True)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
