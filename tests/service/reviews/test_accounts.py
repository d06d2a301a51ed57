"""Signing with an account: who, how, when, and what; case A31 and attacks 26 and 27."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select, update

from service.clock import now
from service.storage.database import Database
from service.storage.tables.identity import SessionRow
from service.storage.tables.predictions import PredictionRow
from service.storage.tables.reviews import ReviewRow
from tests.service.kit.accounts import PASSWORD, Somebody, person
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with (
        running() as runners,
        front(tmp_path_factory.mktemp("var"), runners, auth="local") as opened,
    ):
        yield opened


@pytest.fixture
async def reader(guarded: Front, request: pytest.FixtureRequest) -> AsyncIterator[Somebody]:
    login = f"reader{sha256(request.node.nodeid.encode()).hexdigest()[:8]}"
    async with person(guarded, login, "clinician") as somebody:
        yield somebody


async def judged(reader: Somebody, png: bytes) -> str:
    return str((await reader.client.post(API, content=png)).json()["id"])


async def signed_in_long_ago(opened: Front, somebody: Somebody) -> None:
    at = now() - timedelta(minutes=opened.settings.signature_minutes, seconds=1)
    database = Database(opened.settings)
    mine = update(SessionRow).where(SessionRow.person_id == somebody.id)
    await database.write(lambda on: on.execute(mine.values(signed_in_at=at)))
    await database.close()


async def test_it_says_whose_account_it_was_and_what_was_signed(
    guarded: Front, reader: Somebody, png: bytes
) -> None:
    id = await judged(reader, png)
    signed = await reader.client.post(f"{API}/{id}/reviews", json={"action": "sign"})
    assert signed.status_code == 201
    review = signed.json()
    assert review["reviewer"] == reader.login.title()
    assert review["person_id"] == str(reader.id)
    assert (review["method"], review["intact"]) == ("password", True)
    assert len(review["document_sha256"]) == 64
    assert (await reader.client.get(f"{API}/{id}")).json()["review"] == review


@pytest.mark.parametrize("name", ["Dr Other", ""])
async def test_attack_26_nobody_signs_in_another_s_name(
    reader: Somebody, png: bytes, name: str
) -> None:
    id = await judged(reader, png)
    sent = {"action": "sign", "reviewer": name}
    refused = await reader.client.post(f"{API}/{id}/reviews", json=sent)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_review")
    assert (await reader.client.get(f"{API}/{id}/reviews")).json() == []
    page = await reader.client.get(f"/results/{id}")
    assert 'name="reviewer"' not in page.text


async def test_attack_26_a_signature_asks_for_the_password_again_after_a_while(
    guarded: Front, reader: Somebody, png: bytes
) -> None:
    id = await judged(reader, png)
    assert 'name="password"' not in (await reader.client.get(f"/results/{id}")).text
    await signed_in_long_ago(guarded, reader)
    refused = await reader.client.post(f"{API}/{id}/reviews", json={"action": "sign"})
    assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_again")
    assert 'name="password"' in (await reader.client.get(f"/results/{id}")).text
    place, remark = f"/results/{id}/reviews", "What I typed is not lost."
    form = {"action": "sign", "reason": remark, "version": "0"}
    without = await reader.client.post(place, data=form)
    assert without.status_code == 403
    assert remark in without.text
    wrong = await reader.client.post(place, data={**form, "password": "wrong"})
    assert wrong.status_code == 401
    assert "This is not your password." in wrong.text
    assert remark in wrong.text
    assert "wrong" not in wrong.text.replace("What is wrong", "")
    assert (await reader.client.get(f"{API}/{id}/reviews")).json() == []
    done = await reader.client.post(place, data={**form, "password": PASSWORD})
    assert done.status_code == 303
    assert len((await reader.client.get(f"{API}/{id}/reviews")).json()) == 1
    # That was a sign-in: the next one needs none.
    assert (await reader.client.post(f"{API}/{id}/reviews", json={"action": "sign"})).is_success


async def test_attack_27_a_result_that_was_changed_since_says_so(
    guarded: Front, reader: Somebody, png: bytes
) -> None:
    id = await judged(reader, png)
    await reader.client.post(f"{API}/{id}/reviews", json={"action": "sign"})
    database = Database(guarded.settings)
    async with database.connect() as connection:
        which = PredictionRow.id == (
            select(ReviewRow.prediction_id)
            .where(ReviewRow.person_id == reader.id)
            .scalar_subquery()
        )
        document = await connection.scalar(select(PredictionRow.document).where(which))
    assert isinstance(document, dict)
    swapped = update(PredictionRow).where(which).values(document={**document, "probability": 0.1})
    await database.write(lambda on: on.execute(swapped))
    await database.close()
    assert (await reader.client.get(f"{API}/{id}")).json()["review"]["intact"] is False
    (one,) = (await reader.client.get(f"{API}/{id}/reviews")).json()
    assert one["intact"] is False
    page = await reader.client.get(f"/results/{id}")
    assert "does not match what was signed" in page.text
    german = await reader.client.get(f"/results/{id}", headers={"Accept-Language": "de"})
    assert "stimmt nicht mit dem Signierten überein" in german.text
    report = await reader.client.get(f"{API}/{id}/report.pdf")
    assert report.status_code == 200


async def test_a_name_typed_before_there_were_accounts_stays_readable(
    guarded: Front, reader: Somebody, png: bytes
) -> None:
    id = await judged(reader, png)
    await reader.client.post(f"{API}/{id}/reviews", json={"action": "sign"})
    database = Database(guarded.settings)
    old = (
        update(ReviewRow)
        .where(ReviewRow.person_id == reader.id)
        .values(reviewer="A. Typed", person_id=None, method=None, document_sha256=None)
    )
    await database.write(lambda on: on.execute(old))
    await database.close()
    review = (await reader.client.get(f"{API}/{id}")).json()["review"]
    assert (review["reviewer"], review["person_id"], review["intact"]) == ("A. Typed", None, None)
    page = (await reader.client.get(f"/results/{id}")).text
    assert "A. Typed" in page
    assert "name as typed, without an account" in page


async def test_whoever_may_not_sign_is_shown_no_form(
    guarded: Front, reader: Somebody, png: bytes
) -> None:
    id = await judged(reader, png)
    assert f"/results/{id}/reviews" in (await reader.client.get(f"/results/{id}")).text
    async with person(guarded, f"{reader.login}v", "viewer") as viewer:
        page = (await viewer.client.get(f"/results/{id}")).text
        assert f"/results/{id}/reviews" not in page
        assert f"/results/{id}/study" not in page
        refused = await viewer.client.post(f"/results/{id}/reviews", data={"action": "sign"})
        assert refused.status_code == 403
