"""What a tree of processes costs: CPU time by component, and memory that is its own.

Linux alone: PSS, the fair share of what is shared, is nowhere else.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

import psutil

Component = Callable[[psutil.Process], str]
"""From a process to the name under which its CPU time is counted."""

GONE: Final = (psutil.NoSuchProcess, psutil.AccessDenied, OSError)

PAUSE_SECONDS: Final = 1.0


def adopt_orphans() -> None:
    """Let processes whose parent ended become ours, so that none is lost from sight."""
    become_subreaper = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
    ctypes.CDLL(None).prctl(become_subreaper, 1)


class Tree:
    """Every process below this one, but ``others`` and what is below them."""

    def __init__(self, others: Collection[int], component: Component) -> None:
        self._others = frozenset(others)
        self._component = component
        self._ticks = os.sysconf("SC_CLK_TCK")

    def processes(self) -> list[psutil.Process]:
        own = [child for child in psutil.Process().children() if child.pid not in self._others]
        found = []
        for child in own:
            with contextlib.suppress(*GONE):
                found += [child, *child.children(recursive=True)]
        return found

    def cpu_seconds(self) -> dict[str, float]:
        """Return component → CPU seconds so far, children that have ended included."""
        spent: dict[str, float] = {}
        for process in self.processes():
            with contextlib.suppress(*GONE):
                times = process.cpu_times()
                name = self._component(process)
                total = times.user + times.system + times.children_user + times.children_system
                spent[name] = spent.get(name, 0.0) + total
        return spent

    def memory_bytes(self) -> int:
        """Return the proportional set size of all, swap left out."""
        total = 0
        for process in self.processes():
            with contextlib.suppress(*GONE):
                total += _pss(process.pid)
        return total


def difference(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Return component → CPU seconds between two looks at a tree."""
    return {name: max(0.0, spent - before.get(name, 0.0)) for name, spent in after.items()}


class Memory:
    """Looks at a tree's memory once a second, in a thread of its own."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.seen: list[int] = []

    @property
    def peak(self) -> int:
        return max(self.seen, default=0)

    @property
    def started(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            self.seen.append(self._tree.memory_bytes())


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
