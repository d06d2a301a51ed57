"""What the gateway is made of: ledger, listener, and what works on cases and deliveries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models.reading import Limits
from service.decoding import Decoder
from service.decoding.settings import DecoderLimits
from service.exams.service import Exams
from service.integration.dicom.bridge import Bridge
from service.integration.dicom.committer import Committer
from service.integration.dicom.fetcher import Fetcher
from service.integration.dicom.listener import Listener
from service.integration.dicom.receiver import Receiver
from service.integration.dicom.tls import server_context
from service.integration.hl7 import listener as hl7
from service.integration.hl7.service import Feeds
from service.integration.ledger.commitments import Commitments
from service.integration.ledger.service import Ledger
from service.integration.metrics import GatewayMetrics
from service.integration.peers import Peers
from service.integration.pulls.service import Pulls
from service.integration.settings import GatewaySettings
from service.integration.workers.committing import Committing
from service.integration.workers.composer import Composer
from service.integration.workers.judge import Judge
from service.integration.workers.measuring import Measuring
from service.integration.workers.ordering import Ordering
from service.integration.workers.performing import Performing
from service.integration.workers.pulling import Pulling
from service.integration.workers.senders import sender
from service.integration.workers.worker import Worker
from service.medicine.morphometry.service import Morphometry
from service.medicine.progression.place import Places
from service.medicine.progression.settings import PrecisionSettings
from service.predictions.service import Predictions
from service.predictions.settings import KeepingSettings
from service.resources import Resources
from service.storage.transaction import Transactions


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    settings, peers = resources.get(GatewaySettings), resources.get(Peers)
    transactions, predictions = resources.get(Transactions), resources.get(Predictions)
    metrics = resources.get(GatewayMetrics)
    ledger = Ledger(settings, transactions)
    senders = {one.name: sender(one) for one in peers.destination}
    feeds = Feeds(settings, transactions)
    composer = Composer(
        ledger,
        peers,
        Ordering(feeds, peers, metrics).order,
        predictions.get,
        predictions.image,
        Exams(transactions).get,
        Morphometry(transactions).of,
        Places(predictions.timeline, resources.get(PrecisionSettings).precision).of,
        resources.get(Decoder),
        Limits(max_samples=resources.get(DecoderLimits).max_samples),
    )
    judge = Judge(ledger, peers, predictions.predict, composer, senders)
    commitments = Commitments(settings, transactions)
    committing = Committing(settings, commitments, peers, metrics)
    scope = resources.get(KeepingSettings).dicom_facts
    measuring = Measuring(ledger, peers, resources.get(Decoder), scope, metrics)
    patience = 2 * transactions.longest_wait
    bridge = Bridge(patience)
    receiver = Receiver(peers, ledger, bridge, metrics)
    most = int(settings.gateway_object_bytes)
    pulls = Pulls(settings, transactions)
    fetcher = Fetcher(receiver, bridge, ledger.released, most)
    pulling = Pulling(pulls, peers, fetcher, metrics)
    performing = Performing(settings, transactions, peers)
    worker = Worker(
        ledger, peers, senders, judge, committing, measuring, pulling, performing, feeds, metrics
    )
    committer = Committer(commitments, metrics)
    listener = Listener(settings, peers, ledger, committer, metrics, patience)
    resources.put(Ledger, ledger)
    resources.put(Pulls, pulls)
    hearing = hl7.FeedListener(settings, peers, feeds, metrics)
    resources.put(Listener, listener)
    resources.put(hl7.FeedListener, hearing)
    await worker.count()
    async with worker.working():
        listener.start(server_context(settings))
        try:
            await hearing.start(hl7.server_context(settings))
            yield
        finally:
            await hearing.stop()
            await listener.stop()
