"""The vgg16 runner: ``bentoml serve bentos.vgg16.service:Runner``."""

from __future__ import annotations

from bentos.base import base_runner

Runner = base_runner("vgg16")
