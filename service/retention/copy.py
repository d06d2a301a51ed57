"""All that is kept of one patient, for whoever has a right to it (GDPR 15 and 20)."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from service.exams import repository as exams
from service.identity.actor import Actor, Within
from service.medicine.morphometry import repository as points
from service.predictions import repository as predictions
from service.retention import repository
from service.reviews import repository as reviews
from service.storage.errors import UnreadableError
from service.storage.transaction import Transactions


async def of(transactions: Transactions, actor: Actor, patient_key: UUID) -> dict[str, Any] | None:
    """Return identifier, results, facts, reviews, points and images of a patient of a site.

    As JSON holds it, images as PNG in base64. None: nobody has this key.
    """
    within = Within(site=actor.site)
    async with transactions.read() as connection:
        name = await repository.patient(connection, actor.site, patient_key)
        if name is None:
            return None
        issuer, identifier = name
        arrived = f"{identifier}\\{issuer}"
        found = await repository.results_of(connection, within, (patient_key,), arrived)
        results = []
        for id, _ in found:
            try:
                one = await predictions.get(connection, within, id)
                exam = await exams.get(connection, within, id)
                said = await reviews.of(connection, within, id)
                kept = await points.of(connection, within, id)
            except UnreadableError:
                results.append({"id": str(id), "unreadable": True})
                continue
            png = await predictions.image(connection, within, id)
            sent = await predictions.sent(connection, within, id)
            results.append(
                {
                    "prediction": None if one is None else one.document(),
                    "exam": None if exam is None else exam.model_dump(mode="json"),
                    "reviews": [it.model_dump(mode="json") for it in said],
                    "points": [it.model_dump(mode="json") for it in kept],
                    "image_png": None if png is None else base64.b64encode(png).decode(),
                    "sent_png": None if sent is None else base64.b64encode(sent.png).decode(),
                    **await repository.beside(connection, id),
                }
            )
        return {
            "identifier": identifier,
            "issuer": issuer,
            "site": actor.site,
            "results": results,
        }
