"""Which passwords may be chosen (ASVS 6.2.1 to 6.2.11)."""

from __future__ import annotations

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from service.identity import schemas
from service.identity.passwords import CONTEXT, LONGEST, SHORTEST, is_guessable
from service.identity.schemas import AccountError
from tests.service.kit.accounts import PASSWORD, person
from tests.service.kit.fronts import Front

ERIKA = ("erika.m", "Erika Mustermann", "north-clinic", "dxa.nordklinik.example")


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "vier Stühle tanzen durch Nebel",
        "kd82 hf 1mz 09w",
        "密码是一个很长的句子没有人知道",
        "Tzw!9fLq#2vR",
        "a" + "xq7 " * 30 + "end",
        "nothing of Erika Mustermann's is in here",
    ],
)
def test_nobody_is_told_what_to_compose(password: str) -> None:
    assert not is_guessable(password, ERIKA)


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword", "password1234", "Password1234!", "P@ssw0rd1234", "drowssap4321drowssap",
        "123456789012", "qwertyuiop[]", "1q2w3e4r5t6y", "aaaaaaaaaaaa", "abcabcabcabc",
        "abcdefghijkl", "iloveyou1234", "michaeljackson", "20242024202420", "letmeinletmein",
        "osteoserve2024", "Osteoserve!!2024", "0ste0serve1234", "osteoporosis1", "dxadxadxadxa",
        "krankenhaus2024", "Klinikum2025!", "Sommer2024!!", "willkommen123", "Passwort12345",
        "Radiologie2025", "knochendichte!1",
    ],
)  # fmt: skip
def test_what_is_tried_first_is_refused(password: str) -> None:
    assert is_guessable(password)


@pytest.mark.parametrize(
    "password",
    [
        "erikamustermann", "Erika.Mustermann", "mustermann1234", "3rika.Must3rmann",
        "erika.m2024!!", "north-clinic24", "NordKlinik2025", "nnamretsumakire",
        "Mustermann-Erika-1980",
    ],
)  # fmt: skip
def test_names_of_the_person_and_of_the_site_are_refused(password: str) -> None:
    assert is_guessable(password, ERIKA)


def test_every_common_one_that_is_long_enough_is_refused() -> None:
    """ASVS 6.2.4: of the 30,000 that zxcvbn has, whatever the rule of length lets through."""
    common = [one for one in FREQUENCY_LISTS["passwords"] if len(one) >= SHORTEST]
    assert len(common) > 200
    assert not [one for one in common if not is_guessable(one)]


def test_common_ones_that_were_made_longer_are_refused() -> None:
    """Lists of longer passwords are made of short ones: doubled, numbered, with a year."""
    for one in list(FREQUENCY_LISTS["passwords"])[:400]:
        for made in (one * 3, f"{one}123456", f"{one.title()}{one}2024", f"{one}{one}!"):
            assert len(made) < SHORTEST or is_guessable(made), made


@pytest.mark.parametrize("word", CONTEXT)
def test_words_of_the_product_are_refused(word: str) -> None:
    for made in (f"{word.title()}2025!", word * 3, f"{word}{word[::-1]}"):
        assert len(made) < SHORTEST or is_guessable(made), made


@pytest.mark.parametrize(
    ("password", "again", "field"),
    [
        ("", "", "password"),
        ("x7 q9 m2 k4", "x7 q9 m2 k4", "password"),
        ("ab c" * 33, "ab c" * 33, "password"),
        (PASSWORD, PASSWORD.title(), "again"),
        (PASSWORD, f"{PASSWORD} ", "again"),
        (PASSWORD, "", "again"),
    ],
)
def test_length_and_the_second_time(password: str, again: str, field: str) -> None:
    with pytest.raises(AccountError) as error:
        schemas.chosen({"password": password, "again": again})
    assert [fault.field for fault in error.value.faults] == [field]


def test_nothing_is_cut_off_or_changed() -> None:
    kept = f" {PASSWORD}\t" + "ß" * 60
    assert len(kept) < LONGEST
    assert schemas.chosen({"password": kept, "again": kept}) == kept


@pytest.mark.anyio
async def test_every_way_to_a_password_refuses_one_that_is_guessed(guarded: Front) -> None:
    async with person(guarded, "rosalind", "clinician", site="rosenheim") as one:
        for easy in ("passwordpassword", "Rosalind-2024!", "Rosenheim2025", "short"):
            sent = {"old": PASSWORD, "password": easy, "again": easy}
            page = await one.client.post("/account/password", data=sent)
            assert page.status_code == 422, easy
            assert page.text.count('aria-invalid="true"') == 1
        assert (await one.sign_in()).status_code == 303
