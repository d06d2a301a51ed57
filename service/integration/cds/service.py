"""Answers hooks from what is stored. Nothing is judged meanwhile, and nothing of a call is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from service.clock import now
from service.exams.service import Exams
from service.identity.actor import Actor
from service.identity.events import WasRead
from service.identity.reading import Reading
from service.integration.cds import cards, repository
from service.integration.cds.cards import Advised, Known
from service.integration.cds.clients import Client
from service.integration.cds.metrics import CdsMetrics
from service.integration.cds.schemas import Call, Feedback
from service.integration.events import CardAnswered
from service.integration.patient_match import AmbiguousError, Matching, patient_numbers
from service.medicine.guidance import consider
from service.medicine.guidance.facts import FactsError
from service.medicine.guidance.form import parse
from service.medicine.guidance.study import fields_of
from service.medicine.progression.precision import Precision
from service.predictions.service import Predictions
from service.storage.transaction import Transaction, Transactions

ROUTE: Final = "/cds-services/{id}"


class CdsHooks:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(
        self,
        transactions: Transactions,
        matching: Matching,
        predictions: Predictions,
        exams: Exams,
        reading: Reading,
        precision: Precision,
        metrics: CdsMetrics,
        public_url: str | None,
    ) -> None:
        self._transactions = transactions
        self._matching = matching
        self._predictions = predictions
        self._exams = exams
        self._reading = reading
        self._precision = precision
        self._metrics = metrics
        self._public_url = public_url

    async def cards(
        self,
        actor: Actor,
        client: Client | None,
        service: str,
        call: Call,
        patient: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        """Return the cards for a call about ``patient``, a FHIR resource; none where nothing is
        known here, or where it cannot be told whose it is."""
        numbers = patient_numbers(patient, None if client is None else client.system)
        known, result = await self._known(actor, numbers)
        found = [] if known is None else self._of(call, known)
        self._metrics.called(service, "cards" if found else result)
        return found

    def _of(self, call: Call, known: Sequence[Known]) -> list[dict[str, Any]]:
        today, last = now().date(), known[0]
        advised = next(filter(None, map(_advised, known)), None)
        if call.hook == "patient-view":
            return cards.of_patient(known, advised, self._public_url)
        orders = [one for one in call.orders if _reference(one) in call.selections]
        scans = [_reference(one) for one in orders if cards.codes(one) & cards.DXA]
        found = []
        if scans:
            found.append(
                cards.of_scan(last, today, self._precision, advised, scans, self._public_url)
            )
        if advised is not None:
            named = dict.fromkeys(drug for one in orders for drug in cards.drugs(one))
            found += [cards.of_drug(drug, advised, self._public_url) for drug in named]
        return found

    async def _known(
        self, actor: Actor, numbers: Sequence[str]
    ) -> tuple[Sequence[Known] | None, str]:
        """Return the results of the patient with one of ``numbers``, the newest first."""
        if not numbers:
            return None, "no_patient"
        try:
            match = await self._matching.of(actor, numbers)
        except AmbiguousError:
            return None, "ambiguous"
        found: dict[UUID, Known] = {}
        if match.patient is not None:
            timeline = await self._predictions.timeline(actor, match.patient)
            pairs = () if timeline is None else timeline.exams
            found |= {one.id: Known(exam, one) for exam, one in pairs}
            await self._note(actor, "patient", match.patient)
        for id in match.results:
            if id not in found:
                one = await self._predictions.get(actor, id)
                exam = await self._exams.get(actor, id)
                if one is not None and exam is not None:
                    found[id] = Known(exam, one)
                    await self._note(actor, "result", id)
        newest = sorted(
            found.values(), key=lambda one: (one.day, one.prediction.created_at), reverse=True
        )
        return (newest, "none") if newest else (None, "none")

    async def _note(self, actor: Actor, what: Any, id: UUID) -> None:
        await self._reading.note(WasRead(actor=actor, what=what, id=str(id), route=ROUTE))

    async def answered(self, actor: Actor, service: str, feedback: Iterable[Feedback]) -> None:
        """Keep what became of cards."""
        heard = tuple(feedback)

        async def work(transaction: Transaction) -> None:
            for one in heard:
                await repository.keep(transaction.connection, actor.site, actor.id, service, one)
                await transaction.emit(
                    CardAnswered(
                        actor=actor, card=one.card, service=service, outcome=one.outcome
                    )
                )  # fmt: skip

        await self._transactions.write(work)
        for one in heard:
            self._metrics.heard(service, one.outcome)


def _advised(known: Known) -> Advised | None:
    """Return what guidelines say of the facts that were entered; None where there are none."""
    today = now().date()
    fields = fields_of(known.exam)
    if not fields:
        return None
    try:
        return Advised(known, consider(parse(fields, today), today))
    except FactsError:
        return None


def _reference(order: Mapping[str, Any]) -> str:
    return f"{order.get('resourceType')}/{order.get('id')}"
