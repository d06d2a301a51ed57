"""The resnet runner: ``bentoml serve bentos.resnet.service:Runner``."""

from __future__ import annotations

from bentos.base import base_runner

Runner = base_runner("resnet")
