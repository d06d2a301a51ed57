"""Whom the directory names is whom the provider signs in."""

from __future__ import annotations

import asyncio
import json

import pytest

from service.identity.oidc.claims import who
from service.identity.oidc.settings import OidcSettings
from service.identity.scim.subjects import subject, template
from tests.service.identity.oidc.trail import count
from tests.service.identity.scim.client import arrives, group, mark, user
from tests.service.identity.scim.conftest import Opened, directory
from tests.service.kit.accounts import browser
from tests.service.kit.fronts import API
from tests.service.kit.idp import Idp

pytestmark = pytest.mark.anyio

TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"


@pytest.mark.parametrize("claims", ["sub", "oid", "tid,oid", "oid,tid"])
def test_the_subject_is_the_sign_ins(claims: str) -> None:
    told = {"sub": "sub-1", "oid": "oid-1", "tid": TENANT}
    settings = OidcSettings.model_validate({"oidc_subject_claims": claims})
    parts = template(settings.subject_claims, ENTRA)
    assert parts is not None
    external_id = "sub-1" if claims == "sub" else "oid-1"
    assert subject(parts, external_id) == who(told, ENTRA, settings.claim_names).subject


@pytest.mark.parametrize(
    ("claims", "issuer"),
    [
        ("tid,oid", "https://idp.clinic.example/realms/clinic"),
        ("tid,oid,sub", ENTRA),
        ("sub,oid", ENTRA),
    ],
)
def test_what_external_id_alone_does_not_say_is_not_served(claims: str, issuer: str) -> None:
    assert template(tuple(claims.split(",")), issuer) is None


async def test_one_person_sent_several_times_at_once_is_one(on_either: Opened) -> None:
    name = mark()
    async with on_either() as front, await directory(front) as scim:
        asked = [scim.ask("POST", "/Users", user(name)) for _ in range(5)]
        answers = sorted(one.status_code for one in await asyncio.gather(*asked))
        assert answers == [201, 409, 409, 409, 409]
        made = [await count(front, table) for table in ("person", "identity", "directory_user")]
        assert made == [1, 1, 1]


async def test_what_settings_say_now_counts_from_the_next_sign_in(
    on_either: Opened, provider: Idp
) -> None:
    name = mark()
    async with on_either() as front, await directory(front) as scim, browser(front) as client:
        ann = await scim.made("/Users", user(name))
        await scim.made("/Groups", group("dxa-admins", ann["id"]))
        assert await arrives(provider, client, name) == 303
        assert (await client.get("/people")).status_code == 200
    less = json.dumps({"dxa-admins": "viewer"})
    async with on_either(oidc_roles=less) as front, browser(front) as client:
        assert await arrives(provider, client, name) == 303
        assert (await client.get("/people")).status_code == 403
        assert (await client.get(API)).status_code == 200
