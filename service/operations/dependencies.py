"""FastAPI dependencies of operations."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from prometheus_client import CollectorRegistry

from service.http.dependencies import resource
from service.operations.health import Health

HealthDep = Annotated[Health, Depends(resource(Health))]
RegistryDep = Annotated[CollectorRegistry, Depends(resource(CollectorRegistry))]
"""Every metric of this front."""
