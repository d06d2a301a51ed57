"""kubectl, as one calls it by hand, against the cluster that KUBECONFIG names."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from k8s import helm

Object = dict[str, Any]


class KubectlError(AssertionError):
    """kubectl refused, or the cluster did; the message is its own."""


@dataclass(frozen=True)
class Namespace:
    """kubectl in one namespace."""

    name: str

    def run(self, *arguments: str, stdin: str | None = None, seconds: float = 300) -> str:
        """Return what kubectl prints. Raises :class:`KubectlError`."""
        done = subprocess.run(
            [str(helm.binary("kubectl")), "--namespace", self.name, *arguments],
            input=stdin, check=False, capture_output=True, text=True, timeout=seconds,
        )  # fmt: skip
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *objects: Object) -> None:
        self.run("apply", "--filename", "-", stdin=_list(objects))

    def accepts(self, *objects: Object) -> None:
        """Let the API server look at ``objects`` as if they came. Raises :class:`KubectlError`."""
        self.run("apply", "--dry-run=server", "--filename", "-", stdin=_list(objects))

    def get(self, kind: str, name: str) -> Object:
        found: Object = json.loads(self.run("get", kind, name, "--output", "json"))
        return found

    def all(self, kind: str, selector: str = "") -> list[Object]:
        """Every object of ``kind``, oldest first."""
        found = json.loads(
            self.run("get", kind, "--selector", selector, "--output", "json",
                     "--sort-by", ".metadata.creationTimestamp")
        )  # fmt: skip
        items: list[Object] = found["items"]
        return items

    def pods(self, selector: str) -> list[Object]:
        """Pods that are there to stay: those that were asked to go are not."""
        return [
            one for one in self.all("pods", selector) if "deletionTimestamp" not in one["metadata"]
        ]

    def python(self, pod: str, code: str, *arguments: str, seconds: float = 120) -> str:
        """Run Python inside ``pod``."""
        return self.run("exec", pod, "--", "python", "-c", code, *arguments, seconds=seconds)

    def evict(self, pod: str) -> None:
        """Ask for a pod's end as ``kubectl drain`` does: its budget may refuse."""
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": self.name},
        }
        path = f"/api/v1/namespaces/{self.name}/pods/{pod}/eviction"
        self.run("create", "--raw", path, "--filename", "-", stdin=json.dumps(eviction))

    @contextmanager
    def forwarded(self, target: str, port: int) -> Iterator[str]:
        """Yield the address on this machine under which ``target`` answers meanwhile."""
        process = subprocess.Popen(
            [str(helm.binary("kubectl")), "--namespace", self.name, "port-forward",
             "--address", "127.0.0.1", target, f":{port}"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            if found is None:
                raise KubectlError(f"kubectl port-forward {target}: {line or 'said nothing'}")
            yield f"http://127.0.0.1:{found[1]}"
        finally:
            process.terminate()
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()


def eventually(what: str, look: Callable[[], bool], seconds: float, pause: float = 1.0) -> float:
    """Look until ``look`` is true; return the seconds that took. Raises AssertionError."""
    start = time.monotonic()
    while not look():
        if time.monotonic() - start > seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(pause)
    return time.monotonic() - start


def _list(objects: tuple[Object, ...]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
