"""Serve one runner: ``python -m bentos cnn --port 8101``.

``bentoml serve bentos.cnn.service:Runner`` serves the same and keeps a process manager beside the
one worker, in a session of its own: 165 MB more a runner, and a worker that outlives its killed
parent with the port in its hands. A runner has one worker by design and something else that watches
it (a pod, or ``service.local.supervisor``), so here the worker is all there is.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bentos.policy import Policy
from listener.door import Door
from listener.limits import Limits
from listener.python import behind
from listener.server import Server
from protocol.runners import RUNNERS
from telemetry import journal, tracing

SHUTDOWN_SECONDS: Final = 10
"""Longest wait for calls in flight; the front gives up on a call sooner."""


LIMITS: Final = Limits(body_bytes_per_second=64 * 1024, body_pause_seconds=2.0, head_seconds=5.0)
"""Callers are fronts in the same network, which send pixels that they hold already."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bentos", description="Serve one runner.")
    parser.add_argument("runner", choices=RUNNERS)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (%(default)s); ::, every address"
    )
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    options = parser.parse_args(arguments)

    # Before BentoML is imported: it reads these once. The folder must be this process's own.
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    Path(os.environ.setdefault("BENTOML_HOME", f"var/bentoml/{options.port}")).mkdir(
        parents=True, exist_ok=True
    )

    try:
        policy = Policy.from_environment(options.runner)
        tracing.wanted(policy.tracing_endpoint)
    except ValueError as error:
        parser.exit(2, f"{error}\n")
    journal.configure(policy.log_format, policy.log_level)
    if (old := behind()) is not None:
        journal.log(logging.WARNING, "python is behind", about=old)
    with tracing.exporting(options.runner, policy.tracing_endpoint, begins=False):
        service = importlib.import_module(f"bentos.{options.runner}.service").Runner
        importlib.import_module("bentos.tracing").adopt()
        Server(
            service.to_asgi(is_main=True),
            Door(LIMITS),
            host=options.host,
            port=options.port,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ).run()


if __name__ == "__main__":
    main()
