"""FastAPI dependencies of operations."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from prometheus_client import CollectorRegistry

from service.http.dependencies import opened
from service.operations.health import Health

HealthDep = Annotated[Health, Depends(opened(Health))]
RegistryDep = Annotated[CollectorRegistry, Depends(opened(CollectorRegistry))]
"""Every metric of this front."""
