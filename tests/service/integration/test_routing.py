"""Rules say where results go: to the destinations that they name, and to no others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from service.integration.peers import Peers
from service.integration.workers.judge import Judge
from service.storage.database import Database
from tests.service.integration.fhir.servers import accepting, server
from tests.service.integration.gateways import gateway, peers_file
from tests.service.integration.hl7.engines import answering, engine
from tests.service.integration.kit import arrival, image, opened
from tests.service.integration.test_ledger import PERSON
from tests.service.integration.test_messages import engine_at, peers, push, record_at
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

RULE = '\n[[rule]]\nname = "wrists"\nbody_part = "WRIST"\nthen = "judge"\nto = "engine"\n'


async def test_a_result_goes_to_the_destinations_that_its_rule_names(tmp_path: Path) -> None:
    async with engine(answering("AA")) as hl7, server(accepting()) as fhir, running() as runners:
        file = peers(tmp_path, engine_at(hl7.port), record_at(fhir.base), RULE)
        async with gateway(tmp_path / "var", runners, file) as one:
            await push(one, image(PatientID="4711", BodyPartExamined="WRIST"))
            await one.finished(200)
            assert (len(hl7.taken), len(fhir.taken)) == (1, 0)
            assert (await one.ledger.balance()).delivered == 1
            await push(one, image(PatientID="4712", BodyPartExamined="LSPINE"))
            await one.finished(200)
            assert (len(hl7.taken), len(fhir.taken)) == (2, 1)
            assert (await one.ledger.balance()).delivered == 2


async def test_a_study_whose_destinations_are_gone_waits_for_a_person(
    database: Database, tmp_path: Path
) -> None:
    ledger = opened(database).ledger
    _, case_id = await ledger.receive(arrival(destinations=("gone",)))
    assert case_id is not None

    async def predict(*_: Any) -> Any:
        return SimpleNamespace(id=uuid4())

    unused: Any = None
    known = Peers.read(peers_file(tmp_path, 104))
    judge = Judge(ledger, known, predict, unused, {"pacs": unused})
    while (await ledger.states()).get(("case", "quarantined")) is None:
        await judge.step()
    (line,) = await ledger.waiting()
    assert (line.id, line.state, line.reason) == (case_id, "quarantined", "no_destination")
    assert (await ledger.balance()).quarantined == 1
    await ledger.restart(PERSON, case_id)
    assert (await ledger.balance()).in_progress == 1
