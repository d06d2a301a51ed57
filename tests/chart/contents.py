"""What an image holds, read from its Dockerfile, what its build may see, and its lock."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import packages_distributions
from typing import Final

from k8s import contents, helm
from k8s.packages import locked

_DOTTED: Final = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)+")


@dataclass(frozen=True)
class Image:
    """``name`` is the Dockerfile's, ``lock`` what is installed in it."""

    name: str
    lock: str

    @cached_property
    def files(self) -> frozenset[str]:
        """Files of the repository that the image holds, by their path from its root."""
        return contents.files(self.name)

    @cached_property
    def packages(self) -> frozenset[str]:
        """Distributions that its lock names."""
        return frozenset(_plain(one.name) for one in locked(self.lock))

    def has(self, module: str) -> bool:
        """Whether the image holds ``module``: Python's own, a locked package's, or one of ours."""
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names:
            return True
        if is_ours(module):
            return path_of(module) in self.files
        return any(_plain(one) in self.packages for one in (top, *_distributions().get(top, ())))

    def missing(self, code: str, *, later: bool = True) -> dict[str, str]:
        """Return each module that ``code``, or one of ours that it imports, needs and that is not
        there, with who imports it. ``later``: also what a function imports when it is called."""
        found: dict[str, str] = {}
        seen: set[str] = set()
        waiting = [("", name) for name in imported(code, later=later)]
        while waiting:
            by, name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if not self.has(name):
                found[name] = by
            elif is_ours(name):
                waiting += [(name, one) for one in _imported_by(path_of(name), later)]
        return found


FRONT: Final = Image("front", "front")
RUNNER: Final = Image("runner", "runners")
RUNNER_GPU: Final = Image("runner", "runners-gpu")
EDGE: Final = Image("edge", "edge")
LOADTESTS: Final = Image("loadtests", "loadtests")


def imported(code: str, *, later: bool = True) -> set[str]:
    """Return the modules that ``code`` imports, those for type checking alone left out.

    A name that is imported from a module of ours counts where it is a module itself. With ``later``
    so does what functions import, and a text that is the name of a module of ours, such as one that
    processes are started with.
    """
    found: set[str] = set()
    for node in _run(ast.parse(code), later):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "no relative imports here"
            found.add(node.module)
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in names if is_ours(name)}
        elif later and isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition(":")[0]
            if _DOTTED.fullmatch(name) and is_ours(name):
                found.add(name)
    # A module's packages are imported before it.
    packages = {
        ".".join(name.split(".")[:end])
        for name in found
        if is_ours(name)
        for end in range(1, name.count(".") + 1)
    }
    return found | packages


@cache
def _imported_by(path: str, later: bool) -> frozenset[str]:
    return frozenset(imported((helm.ROOT / path).read_text("utf-8"), later=later))


def is_ours(module: str) -> bool:
    return bool(path_of(module))


@cache
def path_of(module: str) -> str:
    """Return the path of a module of this repository from its root; empty: it is none."""
    path = module.replace(".", "/")
    for one in (f"{path}.py", f"{path}/__init__.py"):
        if (helm.ROOT / one).is_file():
            return one
    return ""


def _run(tree: ast.AST, later: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if not later and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield node
        yield from _run(node, later)


@cache
def _distributions() -> dict[str, list[str]]:
    """Which installed packages bring a top-level name, where every lock's are installed."""
    return dict(packages_distributions())


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
