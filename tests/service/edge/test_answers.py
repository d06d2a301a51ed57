"""What lies beside a file is what the API answers about it, whatever kind of file it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from service.edge import app, watching
from service.edge.folder import SETTLE_SECONDS, WatchedFolder
from service.http.dependencies import STATE
from tests.service.integration.kit import file, image
from tests.service.kit import images
from tests.service.kit.fronts import API, Front

pytestmark = pytest.mark.anyio

ALONE: Final = {"file"}
"""What only the document in the folder has (docs/edge.md); the API's answer has nothing alone."""
FACTS: Final = {"t_score": -1.8, "vertebrae": ["L1", "L2"], "sex": "female", "age_years": 67}
KINDS: Final[dict[str, Callable[[], bytes]]] = {
    "png": images.png,
    "dicom": lambda: file(image()),
    "refused": images.unusable,
}


@asynccontextmanager
async def watched(front: Front, root: Path) -> AsyncIterator[WatchedFolder]:
    """Have ``root`` judged by ``front``, in which time goes as fast as it is asked for."""
    ticks = count(step=SETTLE_SECONDS)
    folder = WatchedFolder(root, lambda: next(ticks))
    async with app._Watching(folder, "en").lifespan(front.server.lifespan.state[STATE]):
        yield folder


async def answered(folder: WatchedFolder, data: bytes) -> dict[str, Any]:
    """Return the document beside ``data`` once it lies there."""
    before = set(folder.root.glob("judged/[!.]*"))
    (folder.incoming / "scan").write_bytes(data)
    async with asyncio.timeout(60):
        while not (new := set(folder.root.glob("judged/[!.]*")) - before):  # noqa: ASYNC110 - files
            await asyncio.sleep(0.02)
    (place,) = new
    said: dict[str, Any] = json.loads((place / "result.json").read_text("utf-8"))
    return said


@pytest.mark.parametrize("kind", KINDS)
async def test_it_is_word_for_word_what_the_api_answers(
    kind: str, shared: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "POLL_SECONDS", 0.01)
    data = KINDS[kind]()
    async with watched(shared, tmp_path / "edge") as folder:
        first = await answered(folder, data)
        address = f"{API}/{first['id']}"
        assert (await shared.client.put(f"{address}/study", json=FACTS)).status_code == 200
        # The same bytes once more, of which a T-score is known by now.
        second = await answered(folder, data)
    known = (await shared.client.get(address)).json()
    assert {name: it for name, it in second.items() if name not in ALONE} == known
    sent = (await shared.post(data)).json()
    for one in (first, second):
        assert set(one) == {*sent, *ALONE}
    assert first["conflicts"] == []
    codes = [one["code"] for one in second["conflicts"]]
    assert ("models_differ" in codes) is (kind != "refused")
