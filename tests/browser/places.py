"""Every page there is, by a spoken name, on a front that has something to show."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import numpy as np

from models.phantom import lateral
from tests.service.kit import images
from tests.service.kit.fronts import API, Front
from tests.service.kit.runners import Honest

STATIC = {
    "analyse": "/",
    "bulk": "/bulk",
    "treatment": "/treatment",
    "faq": "/faq",
    "models": "/models",
    "about": "/about",
    "integrate": "/integrate",
    "problems": "/problems",
    "api": "/api/docs",
    "usage": "/usage",
    "not-found": "/nowhere",
}
KEPT = (
    "study", "delete", "patient", "batch", "history", "history-narrowed", "history-nothing",
    "lateral", "heights", "heights-proposed",
)  # fmt: skip
"""Pages about what is kept; :func:`addresses` makes what they are about."""

RESULTS = {"osteoporosis": 0.83, "normal": 0.07, "indeterminate": 0.44}


async def result(shared: Front, probability: float = 0.83, data: bytes | None = None) -> str:
    """Have an image of its own judged; return the address of its result."""
    stack = shared.runners["stack"].runner
    assert isinstance(stack, Honest)
    stack.probability = probability
    response = await shared.upload(data or images.png() + uuid4().bytes)
    stack.probability = 0.83
    return f"/results/{response.json()['id']}"


def side_view() -> bytes:
    """Return a drawn lateral image, in which a row of vertebral bodies is found."""
    drawn = lateral.draw(np.random.default_rng([26, 5]), {"L1": lateral.Fracture("wedge", 0.35)})
    return images.png(drawn.image)


async def addresses(shared: Front) -> dict[str, str]:
    found = dict(STATIC)
    for name, probability in RESULTS.items():
        found[name] = await result(shared, probability)
    found["refused"] = await result(shared, data=images.unusable())
    stack = shared.runners["stack"].runner
    assert isinstance(stack, Honest)
    await shared.runners["cnn"].stop()
    try:
        found["degraded"] = await result(shared)
    finally:
        await shared.runners["cnn"].start()
    number = await studies(shared, "ward-9/0042")
    found["study"] = f"/results/{number}/study"
    found["delete"] = f"/results/{number}/delete"
    answer = await shared.client.post("/patients", data={"patient_reference": "ward-9/0042"})
    found["patient"] = answer.headers["location"]
    found["batch"] = await batch(shared)
    found["lateral"] = await result(shared, data=side_view())
    found["heights"] = f"{found['lateral']}/heights"
    found["heights-proposed"] = f"{found['lateral']}/heights?propose=true"
    found["history"] = "/history"
    found["history-narrowed"] = "/history?outcome=osteoporosis&degraded=false&sort=highest&limit=2"
    found["history-nothing"] = "/history?from=2001-01-01&to=2001-01-02"
    return found


FACTS: dict[str, Any] = {
    "acquired_on": "2021-04-01",
    "scanner": {"vendor": "Hologic", "serial": "DX-0417"},
    "bmd_g_cm2": 0.9,
    "vertebrae": ["L1", "L2", "L3", "L4"],
    "t_score": -1.6,
    "sex": "female",
    "age_years": 67,
}


async def studies(shared: Front, reference: str) -> str:
    """Give one patient another machine, a loss and a forecast; return the last result's id."""
    other = {"scanner": {"vendor": "GE Lunar", "serial": "PR-1"}, "bmd_g_cm2": 0.95}
    for changes in (
        {},
        {"acquired_on": "2022-04-11", **other},
        {"acquired_on": "2023-03-20", "bmd_g_cm2": 0.85, "t_score": -2.0},
        {"acquired_on": "2024-05-02", "bmd_g_cm2": 0.86, "vertebrae": ["L1", "L2", "L4"]},
        {"acquired_on": "2025-04-11", "bmd_g_cm2": 0.84},
    ):
        number = (await result(shared)).rsplit("/", 1)[-1]
        facts = {**FACTS, **changes, "patient_reference": reference}
        answer = await shared.client.put(f"{API}/{number}/study", json=facts)
        assert answer.status_code == 200, answer.text
    return number


async def batch(shared: Front) -> str:
    """Have a batch of all kinds judged; return the address of its page."""
    contents = (images.png(), images.unusable(), b"no image", b"")
    parts = [("file", ("a", one, "application/octet-stream")) for one in contents]
    answer = await shared.client.post("/api/v1/batches", files=parts)
    return answer.headers["location"].replace("/api/v1/batches", "/bulk")
