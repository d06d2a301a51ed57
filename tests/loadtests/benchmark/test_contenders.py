from __future__ import annotations

from collections import defaultdict

import pytest

from loadtests.benchmark.contender import ROOT, Contender
from loadtests.benchmark.contenders import CONTENDERS, OSTEOSERVE, PEERS
from loadtests.benchmark.results import RATIOS, kind

LOCKS = sorted((ROOT / "requirements").glob("bench-*.txt"))


@pytest.mark.parametrize("contender", CONTENDERS.values(), ids=list(CONTENDERS))
def test_a_command_names_no_port_that_it_does_not_get(contender: Contender) -> None:
    roles = [command.role for command in contender.commands]
    ports = dict.fromkeys([*roles, *contender.ports], 1)

    assert len(set(roles)) == len(roles)
    for command in contender.commands:
        for text in (*command.arguments, *command.environment.values()):
            text.format_map(ports)


def test_every_kind_of_peer_is_there_with_both_engines_and_topologies() -> None:
    kinds = defaultdict(set)
    for peer in PEERS:
        kinds[kind(peer)].add(peer.venv)

    everyone = {"bench-ray", "bench-litserve", "bench-mlserver"}
    assert dict(kinds) == dict.fromkeys(set(RATIOS) - {"plain", "limit"}, everyone)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["python", "-m", "bentos", "vgg16", "--port", "1"], "vgg16"),
        (["python", "-m", "bentos", "stack", "--port", "1"], "stack"),
        (["python", "-m", "service", "serve", "--port", "1"], "front"),
        (["python", "-m", "service", "run", "--port", "1"], "supervisor"),
    ],
)
def test_our_processes_are_told_apart_by_their_command(arguments: list[str], part: str) -> None:
    assert OSTEOSERVE.component is not None
    assert OSTEOSERVE.component(arguments) == part


def test_every_environment_has_a_lock() -> None:
    wanted = {contender.venv for contender in CONTENDERS.values() if contender.venv != "front"}

    assert wanted == {lock.stem for lock in LOCKS}
