"""Send scans to a front from inside the cluster, a connection each, until told to stop.

``client.py URL SCANS WORKERS COUNT``: SCANS is a folder of images; COUNT requests in all, 0: until
/tmp/stop is there. Each line of the output is one request as JSON. Runs in the front's own image,
with a key in OSTEOSERVE_KEY.

No two scans are the same: one pixel of each is changed, so that nothing can be answered from what
was answered before.
"""

from __future__ import annotations

import http.client
import io
import itertools
import json
import os
import random
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

STOP = Path("/tmp/stop")  # noqa: S108 - a volume of this pod's own
PATIENCE_SECONDS = 60
UNANSWERED = (OSError, http.client.HTTPException)
PRINT = threading.Lock()


def scan(images: list[np.ndarray], rng: random.Random) -> bytes:
    pixels = rng.choice(images).copy()
    y, x = rng.randrange(pixels.shape[0]), rng.randrange(pixels.shape[1])
    pixels[y, x] ^= 1 + rng.randrange(3)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def answered(
    method: str, url: str, data: bytes | None = None, seconds: float = PATIENCE_SECONDS
) -> tuple[int, str, bytes]:
    """Return status, Location and body, over a connection of its own."""
    place = urlsplit(url)
    with closing(
        http.client.HTTPConnection(place.hostname or "", place.port, timeout=seconds)
    ) as connection:
        key = {"Authorization": f"Bearer {os.environ['OSTEOSERVE_KEY']}"}
        connection.request(method, place.path, data, key)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("location", "/nowhere"), answer.read()


def ask(url: str, data: bytes) -> dict[str, Any]:
    began = time.time()
    start = time.perf_counter()
    line: dict[str, Any] = {"at": round(began, 3)}
    try:
        status, location, body = answered("POST", f"{url}/api/v1/predictions", data)
        line["status"], document = status, json.loads(body)
        if status == http.client.CREATED:
            line |= {key: document[key] for key in ("outcome", "degraded", "missing")}
            status, _, body = answered("GET", url + location)
            same = status == http.client.OK and json.loads(body)["id"] == document["id"]
            line["stored"] = same
        else:
            line["code"] = document.get("code")
    except (*UNANSWERED, ValueError) as error:
        line["error"] = f"{type(error).__name__}: {error}"
    line["seconds"] = round(time.perf_counter() - start, 3)
    return line


def wait(url: str) -> None:
    """Until this pod reaches the front at all: policies may take a moment to let a new one."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            status, _, _ = answered("GET", f"{url}/health/ready", seconds=5)
            if status == http.client.OK:
                return
            found = f"it is not ready, {status}"
        except UNANSWERED as error:
            found = f"{type(error).__name__}: {error}"
        if time.monotonic() > end:
            sys.exit(f"never reached {url}: {found}")
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
