"""The table of contenders. ``servers/`` says how each peer is written, and why so."""

from __future__ import annotations

from typing import Final, get_args

from loadtests.benchmark.contender import Command, Contender, Engine, Topology
from models.types import BASES

LIMIT: Final = "limit"
"""No server: see ``limit``."""


SERVERS: Final = "loadtests.benchmark.servers"

ENGINES: Final[dict[Engine, tuple[str, ...]]] = {
    "keras": ("keras", "tensorflow-cpu"),
    "runtime": ("openvino",),
}
"""What computes, and the packages that it is."""

TOPOLOGIES: Final[tuple[Topology, ...]] = get_args(Topology)


def _ours(arguments: list[str]) -> str:
    """Return the part of this project that a process of ``make run`` is."""
    for name in (*BASES, "stack"):
        if name in arguments:
            return name
    return "front" if "serve" in arguments else "supervisor"


OSTEOSERVE: Final = Contender(
    name="osteoserve",
    title="osteoserve",
    group="osteoserve",
    engine="runtime",
    topology="each",
    venv="front",
    commands=(
        Command(
            "front",
            ("-m", "service", "run", "--port", "{front}"),
            # Ready is a front that can answer at all; started, one that has seen every runner.
            ready="/health/startup",
        ),
    ),
    path="/api/v1/predictions",
    packages=("fastapi", "uvicorn", "aiohttp"),
    component=_ours,
)

PLAIN: Final = Contender(
    name="plain",
    title="FastAPI, keras.Model.predict",
    group="plain",
    engine="keras",
    topology="one",
    venv="bench-plain",
    commands=(Command("front", ("-m", f"{SERVERS}.plain", "--port", "{front}"), ready="/health"),),
    path="/predict",
    packages=("fastapi", "uvicorn", "keras", "tensorflow-cpu"),
)


def _ray(engine: Engine, topology: Topology) -> Contender:
    return Contender(
        name=f"ray-{engine}-{topology}",
        title=_title("Ray Serve", engine, topology),
        group="peer",
        engine=engine,
        topology=topology,
        venv="bench-ray",
        commands=(
            Command(
                "front",
                ("-m", f"{SERVERS}.ray_serve", "--port", "{front}", "--topology", topology),
                ready="/",
                environment={
                    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
                    "RAY_USAGE_STATS_ENABLED": "0",
                    # One machine, no cluster: Ray then listens on loopback alone.
                    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
                },
            ),
        ),
        path="/",
        packages=("ray", *ENGINES[engine]),
        component=_replica,
        everywhere=True,
    )


def _lit(engine: Engine, topology: Topology) -> Contender:
    return Contender(
        name=f"litserve-{engine}-{topology}",
        title=_title("LitServe", engine, topology),
        group="peer",
        engine=engine,
        topology=topology,
        venv="bench-litserve",
        commands=(
            Command(
                "front",
                ("-m", f"{SERVERS}.lit_serve", "--port", "{front}", "--topology", topology),
                ready="/health",
            ),
        ),
        path="/predict",
        packages=("litserve", *ENGINES[engine]),
    )


def _ml(engine: Engine, topology: Topology) -> Contender:
    roles = ("front", *BASES, "stack") if topology == "each" else ("whole",)
    asked = {role: f"{{grpc_{role}}}" for role in roles if role not in ("front", "whole")}
    # Braces of the JSON are doubled, as str.format wants them.
    ports = "{{" + ", ".join(f'"{role}": {port}' for role, port in asked.items()) + "}}"
    return Contender(
        name=f"mlserver-{engine}-{topology}",
        title=_title("MLServer", engine, topology),
        group="peer",
        engine=engine,
        topology=topology,
        venv="bench-mlserver",
        commands=tuple(
            Command(
                role,
                (
                    *("-m", f"{SERVERS}.ml_server", "--role", role, "--port", f"{{{role}}}"),
                    *("--grpc-port", f"{{grpc_{role}}}", "--metrics-port", f"{{metrics_{role}}}"),
                ),
                ready="/v2/health/ready",
                environment={"BENCH_PORTS": ports},
            )
            for role in roles
        ),
        path="/predict",
        packages=("mlserver", *ENGINES[engine]),
        ports=tuple(f"{kind}_{role}" for role in roles for kind in ("grpc", "metrics")),
    )


def _title(peer: str, engine: Engine, topology: Topology) -> str:
    runs = {"keras": "Keras", "runtime": "our runtime"}[engine]
    hosts = {"each": "a process a model", "one": "one process"}[topology]
    return f"{peer}, {runs}, {hosts}"


def _replica(arguments: list[str]) -> str:
    """Return Ray's title of a process without its numbers: a replica's deployment, or a part."""
    title = arguments[0] if arguments else ""
    if title.startswith("ray::ServeReplica:"):
        return title.split(":")[4].split(" ")[0].lower()
    return "ray"


PEERS: Final = tuple(
    make(engine, topology)
    for make in (_ray, _lit, _ml)
    for engine in ENGINES
    for topology in TOPOLOGIES
)

CONTENDERS: Final[dict[str, Contender]] = {one.name: one for one in (OSTEOSERVE, PLAIN, *PEERS)}

NAMES: Final = (LIMIT, *CONTENDERS)
