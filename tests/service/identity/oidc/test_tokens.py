"""Tokens that are not what they should be, by a provider that lies: case A10 and attacks 8–10."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from tests.service.identity.oidc.conftest import Opened
from tests.service.identity.oidc.trail import Since
from tests.service.kit.accounts import browser
from tests.service.kit.fronts import Front
from tests.service.kit.idp import Claims, Header, Idp, encoded, rsa, signed, through

pytestmark = pytest.mark.anyio

OTHERS = rsa()
EC = ECKey.generate_key("P-256")

Lie = Callable[[Idp, Header, Claims], str]


def _headed(**changed: Any) -> Lie:
    """Return a token that is signed as it should be, with other fields in its header."""
    return lambda idp, header, claims: signed({**header, **changed}, claims, idp.key)


def _unsigned(name: str) -> Lie:
    return lambda _, header, claims: f"{encoded({**header, 'alg': name})}.{encoded(claims)}."


def _by_public_key(idp: Idp, header: Header, claims: Claims) -> str:
    """Sign with the public key's PEM as if it were a secret that both had."""
    what = f"{encoded({**header, 'alg': 'HS256'})}.{encoded(claims)}"
    assert isinstance(idp.key, RSAKey)
    digest = hmac.new(idp.key.as_pem(private=False), what.encode(), hashlib.sha256).digest()
    return f"{what}.{encoded(digest)}"


def _cut(idp: Idp, header: Header, claims: Claims) -> str:
    return signed(header, claims, idp.key).rpartition(".")[0] + "."


def _changed(idp: Idp, header: Header, claims: Claims) -> str:
    head, _, signature = signed(header, claims, idp.key).split(".")
    return f"{head}.{encoded({**claims, 'sub': 'somebody else'})}.{signature}"


def _twice(idp: Idp, header: Header, claims: Claims) -> str:
    body = json.dumps(claims)[:-1] + f', "sub": "{claims["sub"]}"}}'
    return signed(header, body.encode(), idp.key)


def _embedded(idp: Idp, header: Header, claims: Claims) -> str:
    """Bring the key along."""
    key = OTHERS.as_dict(private=False)
    return signed({**header, "kid": "mine", "jwk": key}, claims, OTHERS)


def _fetched(name: str) -> Lie:
    """Say where the key is: at a place of the provider's own, which would see itself asked."""
    return lambda idp, header, claims: signed(
        {**header, "kid": "mine", name: f"{idp.issuer}/mine"}, claims, OTHERS
    )


HEADERS: dict[str, tuple[Lie, str]] = {
    "none": (_unsigned("none"), "token_algorithm"),
    "None": (_unsigned("None"), "token_algorithm"),
    "nOnE": (_unsigned("nOnE"), "token_algorithm"),
    "no alg": (_unsigned(""), "token_algorithm"),
    "alg is a list": (_unsigned(["RS256"]), "token_algorithm"),  # type: ignore[arg-type]
    "HS256 with the public key": (_by_public_key, "token_algorithm"),
    "PS256, which is not allowed": (_headed(alg="PS256"), "token_algorithm"),
    "RS512, which is not allowed": (_headed(alg="RS512"), "token_algorithm"),
    "ES256": (lambda _, head, it: signed({**head, "alg": "ES256"}, it, EC), "token_algorithm"),
    "another's key": (lambda _, head, it: signed(head, it, OTHERS), "token_signature"),
    "empty signature": (_cut, "token_signature"),
    "claims changed": (_changed, "token_signature"),
    "kid of a file": (_headed(kid="../../dev/null"), "token_key"),
    "kid of SQL": (_headed(kid="' OR 1=1 --"), "token_key"),
    "kid of 10 KB": (_headed(kid="k" * 10_240), "token_key"),
    "kid is a number": (_headed(kid=1), "token_key"),
    "kid is empty": (_headed(kid=""), "token_key"),
    "kid is a list": (_headed(kid=["one"]), "token_key"),
    "jwk": (_embedded, "token_key"),
    "jku": (_fetched("jku"), "token_key"),
    "x5u": (_fetched("x5u"), "token_key"),
    "crit unknown": (_headed(crit=["exp"], exp=1), "token_header"),
    "crit empty": (_headed(crit=[]), "token_header"),
    "crit b64": (_headed(crit=["b64"], b64=False), "token_header"),
    "b64 alone": (_headed(b64=True), "token_header"),
    "typ of a logout token": (_headed(typ="logout+jwt"), "token_header"),
    "typ of an access token": (_headed(typ="at+jwt"), "token_header"),
    "typ is a number": (_headed(typ=1), "token_header"),
    "five parts": (lambda idp, head, it: f"{signed(head, it, idp.key)}.a.b", "token_malformed"),
    "one part": (lambda *_: "token", "token_malformed"),
    "empty": (lambda *_: "", "token_malformed"),
    "header is no JSON": (lambda *_: "e30x.e30.e30", "token_malformed"),
    "header is a list": (lambda *_: f"{encoded([])}.e30.e30", "token_malformed"),
    "header nested deeply": (
        lambda *_: f"{encoded(b'[' * 9000)}.e30.e30", "token_malformed",
    ),
    "claims are a list": (lambda idp, head, _: signed(head, b"[]", idp.key), "token_malformed"),
    "claims are no JSON": (lambda idp, head, _: signed(head, b"{", idp.key), "token_malformed"),
    "a claim twice": (_twice, "token_malformed"),
    "signs of another script": (lambda *_: "é.é.é", "token_malformed"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
async def test_attack_8_9_a_token_that_the_provider_has_not_signed(
    door: Front, provider: Idp, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Attacks 8 and 9: refused, with one entry in the trail, no fetch, and no value in a log."""
    lie, reason = HEADERS[name]
    provider.sign = lambda header, claims: lie(provider, header, claims)
    since = await Since.now(door)
    async with browser(door) as client:
        answer = await through(client)
        assert answer.status_code == 400
        assert (await client.get("/history")).status_code == 303
    assert await since.refused() == [reason]
    assert await since.nobody_came()
    assert provider.count("/mine") == 0
    said = caplog.text + answer.text
    assert not [one for one in ("dev/null", "OR 1=1", "kkkk", provider.sub) if one in said]


AUDIENCES: dict[str, dict[str, Any]] = {
    "of another client": {"aud": "other", "azp": "other"},
    "of another client, azp ours": {"aud": "other"},
    "several and no azp": {"aud": ["osteoserve", "other"], "azp": None},
    "several and azp of another": {"aud": ["osteoserve", "other"], "azp": "other"},
    "ours and azp of another": {"azp": "other"},
    "none": {"aud": None},
    "an object": {"aud": {"osteoserve": 1}},
    "a list of no text": {"aud": ["osteoserve", 1]},
    "an empty list": {"aud": []},
    "part of ours": {"aud": "osteo", "azp": None},
    "an access token's": {"aud": "dxa-api", "azp": "osteoserve"},
}

CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    **{f"aud {name}": (changed, "token_audience") for name, changed in AUDIENCES.items()},
    "another issuer": ({"iss": "https://other.example"}, "token_issuer"),
    "issuer with a slash more": ({"iss": "SLASH"}, "token_issuer"),
    "no issuer": ({"iss": None}, "token_issuer"),
    "another nonce": ({"nonce": "n" * 43}, "token_nonce"),
    "no nonce": ({"nonce": None}, "token_nonce"),
    "nonce is a list": ({"nonce": ["n"]}, "token_nonce"),
    "no end": ({"exp": None}, "token_claims"),
    "end is a text": ({"exp": "9999999999"}, "token_claims"),
    "end is true": ({"exp": True}, "token_claims"),
    "end is beyond calendars": ({"exp": 10**30}, "token_claims"),
    "end is no number": ({"exp": float("nan")}, "token_claims"),
    "end is infinite": ({"exp": float("inf")}, "token_claims"),
    "no beginning": ({"iat": None}, "token_claims"),
    "over": ({"exp": 1}, "clock"),
    "not yet": ({"nbf": 9999999999}, "clock"),
    "of the future": ({"iat": 9999999999}, "clock"),
    "of last year": ({"iat": 1}, "clock"),
    "no subject": ({"sub": None}, "token_claims"),
    "subject is empty": ({"sub": ""}, "token_claims"),
    "subject is a number": ({"sub": 1}, "token_claims"),
    "subject of 10 KB": ({"sub": "s" * 10_240}, "token_claims"),
    "subject on two lines": ({"sub": "a\nb"}, "token_claims"),
    "sid is a number": ({"sid": 1}, "token_claims"),
    "groups are an object": ({"groups": {"dxa-clinicians": 1}}, "token_claims"),
    "auth_time is a text": ({"auth_time": "now"}, "token_claims"),
    "auth_time is of the future": ({"auth_time": 9999999999}, "clock"),
    "a logout token's": (
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}, "token_claims",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
async def test_attack_10_a_token_for_somebody_else_or_another_use(
    door: Front, provider: Idp, name: str
) -> None:
    """Attack 10, and every claim that has to hold."""
    changed, reason = CLAIMS[name]
    if changed.get("iss") == "SLASH":
        changed = {"iss": f"{provider.issuer}/"}
    provider.claims |= changed
    since = await Since.now(door)
    async with browser(door) as client:
        assert (await through(client)).status_code == 400
    assert await since.refused() == [reason]
    assert await since.nobody_came()


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": ["osteoserve"]},
        {"aud": ["osteoserve", "osteoserve"], "azp": None},
        {"aud": ["osteoserve", "other"]},
        {"azp": None},
        {"sid": None},
        {"nbf": 1},
        {"amr": ["pwd"], "acr": "1", "at_hash": "x"},
    ],
)
async def test_what_may_be_otherwise(door: Front, provider: Idp, changed: Claims) -> None:
    provider.claims |= changed
    async with browser(door) as client:
        assert (await through(client)).status_code == 303


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"}, {"typ": "jwt"}, {"x5t": "abc"}, {"x5c": ["M" * 3000]},
        {"jku": "https://evil.example/jwks"}, {"x5u": "http://169.254.169.254/"}, {"cty": "x"},
    ],
)  # fmt: skip
async def test_what_a_header_says_besides_is_not_looked_at(
    door: Front, provider: Idp, header: Header
) -> None:
    """AD FS and Entra ID send ``x5t``; a chain of certificates is long."""
    provider.header = header
    async with browser(door) as client:
        assert (await through(client)).status_code == 303


@pytest.mark.parametrize(
    ("ahead", "good"),
    [(45, True), (-45, True), (600, False), (-600, False), (-290, True), (75, False)],
)
async def test_a10_clocks_that_differ(door: Front, provider: Idp, ahead: int, good: bool) -> None:
    """Case A10. Entra ID dates its tokens back by five minutes, so that this is no difference."""
    provider.ahead = ahead
    provider.claims["exp"] = provider.now() + 3900
    since = await Since.now(door)
    async with browser(door) as client:
        answer = await through(client)
    assert answer.status_code == (303 if good else 400)
    assert await since.refused() == ([] if good else ["clock"])
    assert good or "clocks of Klinikum" in answer.text


@pytest.mark.parametrize("algorithm", ["ES256", "PS256"])
async def test_other_algorithms_by_setting(opened: Opened, own: Idp, algorithm: str) -> None:
    own.algorithm = algorithm
    if algorithm == "ES256":
        own.key = EC
    async with opened(oidc_algorithms=f"RS256, {algorithm}") as front, browser(front) as client:
        assert (await through(client)).status_code == 303


@pytest.mark.parametrize(
    "more",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "one"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "weak"},
        {**rsa().as_dict(private=False), "kid": "one", "use": "enc"},
        {**EC.as_dict(private=False), "kid": "one"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "off the curve"},
        {"kty": ["RSA"]},
        "no key",
        None,
    ],
    # None of a key's own numbers, which differ from run to run.
    ids=["octets", "weak", "for encryption", "same id", "off the curve", "list", "text", "none"],
)
async def test_keys_that_are_none_are_passed_over(opened: Opened, own: Idp, more: Any) -> None:
    own.others = [more]
    async with opened() as front, browser(front) as client:
        assert (await through(client)).status_code == 303


async def test_a_key_of_too_few_bits_signs_nothing(opened: Opened, own: Idp) -> None:
    with pytest.warns(SecurityWarning):
        own.key = rsa(1024)
    async with opened() as front, browser(front) as client:
        assert (await through(client)).status_code == 400


async def test_without_a_kid_it_is_the_only_key(opened: Opened, own: Idp) -> None:
    own.kid = None
    async with opened() as front:
        async with browser(front) as client:
            assert (await through(client)).status_code == 303
        own.others = [{**OTHERS.as_dict(private=False), "kid": "other"}]
        own.key = rsa()
        async with browser(front) as client:
            assert (await through(client)).status_code == 400
