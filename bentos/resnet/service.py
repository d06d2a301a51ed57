"""The resnet runner: ``bentoml serve bentos.resnet.service:Runner``."""

from __future__ import annotations

from bentos.runner import base_runner

Runner = base_runner("resnet")
