"""The queue's page: what waits at one's own site, and what an administrator decides."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
from lxml import html

from service.integration.ledger.schemas import Line
from service.integration.ledger.service import Ledger
from service.integration.settings import GatewaySettings
from service.storage.transaction import Transactions
from tests.service.integration.kit import arrival
from tests.service.kit.fronts import Front

pytestmark = pytest.mark.anyio

HERE, ELSEWHERE = "default", "elsewhere"


def ledger(front: Front) -> Ledger:
    settings = GatewaySettings(gateway_receive_seconds=0.001, gateway_settle_seconds=0.001)
    return Ledger(settings, Transactions(front.app.state.health.database))


@pytest.fixture(scope="module")
async def numbers(shared: Front) -> dict[str, UUID]:
    """A study that a rule holds and an image of another patient, here and elsewhere."""
    books, found = ledger(shared), {}
    for site in (HERE, ELSEWHERE):
        one = arrival(site=site, action="hold", rule="rule:research")
        _, case = await books.receive(one)
        assert case is not None
        await books.receive(arrival(site=site, study_uid=one.study_uid, patient="X\\"))
        (stray,) = (
            line for line in await books.waiting(site=site) if line.reason == "other_patient"
        )
        found |= {f"case {site}": case, f"object {site}": stray.id}
    return found


def words(content: bytes) -> list[str]:
    rows = html.fromstring(content).xpath("//section[@aria-labelledby='waits']//tbody/tr")
    return [" ".join(row.text_content().split()) for row in rows]


async def line(front: Front, id: UUID) -> Line | None:
    return next((one for one in await ledger(front).waiting() if one.id == id), None)


async def test_it_shows_what_waits_here_in_words_and_no_patient(
    shared: Front, numbers: dict[str, UUID]
) -> None:
    answer = await shared.client.get("/queue")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = words(answer.content)
    assert len(told) == 2
    (study,) = (row for row in told if row.startswith("Study"))
    assert "In quarantine By the rule research. dxa-1" in study
    assert study.endswith("Try again Give up")
    (stray,) = (row for row in told if row.startswith("Image"))
    assert "The study has images of another patient." in stray
    assert "Try again" not in stray
    assert str(numbers[f"case {ELSEWHERE}"]) not in answer.text
    assert "PHANTOM" not in answer.text
    counts = html.fromstring(answer.content).xpath("//section[@aria-labelledby='all']//td/text()")
    assert counts == ["2", "0", "0", "0", "0", "2", "0", "0"]


async def test_what_is_another_site_s_is_not_decided_on(
    shared: Front, numbers: dict[str, UUID]
) -> None:
    for kind in ("case", "object"):
        other = numbers[f"{kind} {ELSEWHERE}"]
        assert (await shared.client.post(f"/queue/{other}/restart")).status_code == 404
        sent = await shared.client.post(f"/queue/{other}/discard", data={"reason": "none"})
        assert sent.status_code == 404
        assert (await line(shared, other)) is not None
    for nothing in (uuid4(), "nonsense"):
        assert (await shared.client.post(f"/queue/{nothing}/restart")).status_code == 404


@pytest.mark.parametrize(
    ("reason", "said"), [("", "Say why"), ("   ", "Say why"), ("x" * 65, "At most 64 characters")]
)
async def test_nothing_is_given_up_without_a_reason(
    shared: Front, numbers: dict[str, UUID], reason: str, said: str
) -> None:
    stray = numbers[f"object {HERE}"]
    asked = await shared.client.get(f"/queue/{stray}/discard")
    assert re.search(r'name="reason"', asked.text)
    answer = await shared.client.post(f"/queue/{stray}/discard", data={"reason": reason})
    assert answer.status_code == 422
    assert said in answer.text
    assert (await line(shared, stray)) is not None


async def test_what_is_decided_goes_on_or_ends_and_only_once(
    shared: Front, numbers: dict[str, UUID]
) -> None:
    stray, case = numbers[f"object {HERE}"], numbers[f"case {HERE}"]
    given_up = await shared.client.post(f"/queue/{stray}/discard", data={"reason": "sent twice"})
    assert (given_up.status_code, given_up.headers["location"]) == (303, "/queue")
    assert await line(shared, stray) is None
    again = await shared.client.post(f"/queue/{stray}/discard", data={"reason": "sent twice"})
    assert again.status_code == 404
    assert (await shared.client.post(f"/queue/{case}/restart")).status_code == 303
    found = await line(shared, case)
    assert found is not None
    assert found.state == "settling"
    assert (await shared.client.post(f"/queue/{case}/restart")).status_code == 404
