"""Every metric of the front: each room declares its own, here they are put together."""

from __future__ import annotations

from service.audit.metrics import AuditMetrics
from service.decoding.metrics import DecoderMetrics
from service.flow.metrics import FlowMetrics
from service.http.metrics import HttpMetrics
from service.identity.metrics import IdentityMetrics
from service.identity.oidc.metrics import OidcMetrics
from service.integration.cds.metrics import CdsMetrics
from service.integration.smart.metrics import SmartMetrics
from service.integration.web.metrics import DicomWebMetrics
from service.observability.metrics import new_registry
from service.predictions.metrics import PredictionMetrics
from service.runners.metrics import RunnerMetrics
from service.storage.metrics import StorageMetrics


class Metrics:
    """One app's, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = new_registry()
        self.http = HttpMetrics(self.registry)
        self.flow = FlowMetrics(self.registry)
        self.decoding = DecoderMetrics(self.registry)
        self.runners = RunnerMetrics(self.registry)
        self.predictions = PredictionMetrics(self.registry)
        self.storage = StorageMetrics(self.registry)
        self.oidc = OidcMetrics(self.registry)
        self.cds = CdsMetrics(self.registry)
        self.smart = SmartMetrics(self.registry)
        self.audit = AuditMetrics(self.registry)
        self.identity = IdentityMetrics(self.registry)
        self.dicomweb = DicomWebMetrics(self.registry)
