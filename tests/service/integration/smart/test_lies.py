"""What a record's authorization server says and must not be believed: case 46."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from tests.service.identity.oidc.test_tokens import CLAIMS, HEADERS
from tests.service.identity.oidc.trail import count, told
from tests.service.integration.smart.conftest import Opening, entry
from tests.service.integration.smart.ehr import Ehr, ehr, launched, refused
from tests.service.kit.accounts import browser
from tests.service.kit.fronts import Front

pytestmark = pytest.mark.anyio


async def nobody_came(door: Front, record: Ehr, reason: str) -> None:
    before = [await count(door, name) for name in ("session", "person", "identity")]
    await refused(door, record, record.chart("p1", "4711"), reason)
    assert [await count(door, name) for name in ("session", "person", "identity")] == before
    assert (await told(door, "launch_refused"))[-1] == {"reason": reason, "record": "ehr"}
    # Whoever it is comes first: the patient of somebody who is nobody is not even read.
    assert record.read == []


@pytest.mark.parametrize("name", HEADERS)
async def test_a_token_that_the_record_has_not_signed(
    door: Front, record: Ehr, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not by none, not by HS256 over the public key, not by a key that the token brings along."""
    lie, reason = HEADERS[name]
    record.sign = lambda header, claims: lie(record, header, claims)
    await nobody_came(door, record, reason)
    assert record.count("/mine") == 0
    assert record.sub not in caplog.text
    assert "4711" not in caplog.text


@pytest.mark.parametrize("name", [one for one in CLAIMS if one != "auth_time is of the future"])
async def test_a_token_for_somebody_else_or_another_use(
    door: Front, record: Ehr, name: str
) -> None:
    changed, reason = CLAIMS[name]
    if changed.get("iss") == "SLASH":
        changed = {"iss": f"{record.issuer}/"}
    record.claims |= changed
    await nobody_came(door, record, reason)


async def test_only_the_registered_algorithm_is_taken(opening: Opening, tmp_path: Path) -> None:
    """RS256 where ES384 was registered is refused, by a key of the record's own set."""
    signing: Any = ECKey.generate_key("P-384")
    async with (
        ehr(key=signing, algorithm="ES384", claims={"groups": ["dxa-readers"]}) as one,
        opening(entry(one, tmp_path, algorithms=["ES384"])) as front,
    ):
        async with browser(front) as client:
            assert (await launched(client, one, one.chart("p1", "x"))).status_code == 303
        fresh = Ehr(issuer=one.issuer)
        one.others = [{**fresh.jwk(), "kid": "rsa"}]
        one.sign = lambda _, claims: fresh.token(claims, {"kid": "rsa"})
        await refused(front, one, one.chart("p1", "x"), "token_algorithm")


async def test_a_key_that_is_exchanged_is_found_without_a_restart(
    opening: Opening, tmp_path: Path
) -> None:
    async with (
        ehr(claims={"groups": ["dxa-readers"]}) as one,
        opening(entry(one, tmp_path)) as front,
        browser(front) as client,
    ):
        assert (await launched(client, one, one.chart("p1", "x"))).status_code == 303
        one.key, one.kid = Ehr(issuer="").key, "two"
        assert (await launched(client, one, one.chart("p1", "x"))).status_code == 303
