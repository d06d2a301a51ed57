"""One release of the chart, and what can be done to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from k8s import helm
from service.types import RUNNERS
from tests.cluster.kubectl import Namespace, Object, eventually

HERE: Final = Path(__file__).parent
VALUES: Final = HERE / "values.yaml"
COMPONENTS: Final = ("front", *RUNNERS)
START_SECONDS: Final = 900
"""For five pods that start at once on two cores that others use."""


@dataclass(frozen=True)
class Images:
    """Where the images are: ``registry/NAME:tag``, as k8s/images/build made them."""

    registry: str
    tag: str

    def of(self, name: str) -> str:
        return f"{self.registry}/{name}:{self.tag}"

    def values(self) -> list[str]:
        """Arguments that make the chart use them."""
        keys = {name: name if name == "front" else f"runners.{name}" for name in COMPONENTS}
        return [
            "--set-string", f"common.image.tag={self.tag}",
            *(
                argument
                for name, key in keys.items()
                for argument in ("--set-string", f"{key}.image.repository={self.registry}/{name}")
            ),
            "--set-string", f"loadTest.image.repository={self.registry}/loadtests",
        ]  # fmt: skip


@dataclass(frozen=True)
class Release:
    name: str
    namespace: Namespace
    images: Images
    values: Path | None = VALUES
    """None: the chart's own."""
    prefix: str | None = None
    """What its objects' names begin with, where that is not its name."""

    def upgrade(self, values: Mapping[str, Any] | None = None) -> None:
        """Install, or change: what its file says, and over it ``values``."""
        over = [
            argument
            for key, value in (values or {}).items()
            for argument in ("--set-json", f"{key}={json.dumps(value)}")
        ]
        helm.run(
            "upgrade", "--install", self.name, str(helm.CHART), *self._where(),
            *(["--values", str(self.values)] if self.values else []), *self.images.values(), *over,
            "--wait", "--timeout", f"{START_SECONDS}s",
        )  # fmt: skip

    def rollback(self, revision: int) -> None:
        helm.run(
            "rollback", self.name, str(revision), *self._where(),
            "--wait", "--timeout", f"{START_SECONDS}s",
        )  # fmt: skip

    def test(self) -> str:
        return helm.run("test", self.name, *self._where(), "--logs")

    def uninstall(self) -> None:
        helm.run("uninstall", self.name, *self._where(), "--wait", "--timeout", "300s")

    def revisions(self) -> list[int]:
        history = json.loads(helm.run("history", self.name, *self._where(), "--output", "json"))
        return [one["revision"] for one in history]

    def selector(self, component: str | None = None) -> str:
        own = f"app.kubernetes.io/instance={self.name}"
        return own + (f",app.kubernetes.io/component={component}" if component else "")

    def object(self, component: str) -> str:
        """Name of the component's Deployment, Service and so on."""
        return f"{self.prefix or self.name}-{component}"

    def pods(self, component: str) -> list[str]:
        return [one["metadata"]["name"] for one in self.namespace.pods(self.selector(component))]

    def deployment(self, component: str) -> Object:
        return self.namespace.get("deployment", self.object(component))

    def replicas(self, component: str) -> tuple[int, int]:
        """How many pods are wanted, and how many are ready."""
        found = self.deployment(component)
        return found["spec"]["replicas"], found["status"].get("readyReplicas", 0)

    def whole(self) -> bool:
        """Whether every pod that is wanted is there, new and ready, and no other."""
        for component in COMPONENTS:
            found = self.deployment(component)
            wanted, status = found["spec"]["replicas"], found["status"]
            settled = status.get("observedGeneration") == found["metadata"]["generation"]
            counts = [
                status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")
            ]
            if not settled or counts != [wanted] * 3:
                return False
        return True

    def wait_until_whole(self, seconds: float = START_SECONDS) -> float:
        return eventually("every pod is ready", self.whole, seconds)

    def _where(self) -> list[str]:
        return ["--namespace", self.namespace.name]
