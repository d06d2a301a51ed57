"""Finds the order that a study answers: as a feed has told, else as a worklist says."""

from __future__ import annotations

import logging

import anyio.to_thread
from pydicom.dataset import Dataset

from service.identity.actor import Actor
from service.integration.archives import Worklist
from service.integration.dicom import worklist
from service.integration.dicom.query import QueryError
from service.integration.dicom.worklist import AmbiguousError
from service.integration.hl7.service import Feeds
from service.integration.ledger.schemas import Case
from service.integration.metrics import GatewayMetrics
from service.integration.orders import Order
from service.integration.peers import Peers
from telemetry.journal import fault, log


class OrderUnknownError(Exception):
    """A worklist that may have the order does not answer; later it may."""


class Ordering:
    """Worklists of a case's site are asked in the order that the file has them."""

    def __init__(self, feeds: Feeds, peers: Peers, metrics: GatewayMetrics) -> None:
        self._feeds = feeds
        self._peers = peers
        self._metrics = metrics

    async def order(self, case: Case, source: Dataset, actor: Actor) -> Order | None:
        """Return the order that the image with the head ``source`` answers; None: none is known.

        Raises :class:`OrderUnknownError` where a result is to wait for one.
        """
        exam = worklist.exam_of(source, case.study_uid)
        known = await self._feeds.order(case.site, exam.accession, exam.study_uid)
        if known is not None:
            return known
        for one in self._peers.worklist:
            if one.site == case.site:
                found = await self._asked(one, exam, case)
                if found is not None:
                    await self._feeds.learn(actor, found)
                    return found
        return None

    async def _asked(self, one: Worklist, exam: worklist.Exam, case: Case) -> Order | None:
        try:
            found = await anyio.to_thread.run_sync(worklist.ask, one, exam)
        except AmbiguousError:
            self._metrics.asked("ambiguous")
            log(logging.WARNING, "order ambiguous", worklist=one.name, case=case.id)
            return None
        except QueryError as error:
            self._metrics.asked("not_answered")
            log(
                logging.WARNING, "worklist not asked", worklist=one.name, case=case.id,
                reason=error.reason,
            )  # fmt: skip
            if error.passes and case.attempts < one.attempts:
                raise OrderUnknownError from None
            return None
        except Exception as error:
            # Whatever a worklist answers keeps no result from going out.
            self._metrics.asked("not_answered")
            log(logging.ERROR, "bug", task="worklist", case=case.id, fault=fault(error))
            return None
        self._metrics.asked("none" if found is None else "found")
        return found
