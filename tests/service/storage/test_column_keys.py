"""The file of keys of columns: one that cannot be used, and one without the key that is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.settings import Settings, SettingsError, check
from service.storage.database import Database
from service.storage.errors import KeysError, UnreadableError
from tests.service.kit.records import ANYONE, verbs
from tests.service.storage.encrypted import FIRST, SECOND, Keys, filled, whole

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("wrong", ["", "short\n", "ä" * 40], ids=["empty", "short", "no ASCII"])
def test_a_file_of_keys_that_cannot_be_used_is_said(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "keys"
    file.write_text(wrong)
    settings = Settings(var=tmp_path, column_keys=file)
    with pytest.raises(SettingsError, match="OSTEOSERVE_COLUMN_KEYS"):
        check(settings)
    with pytest.raises(SettingsError, match="cannot be read"):
        check(settings.model_copy(update={"column_keys": tmp_path / "none"}))
    with pytest.raises(SettingsError, match="OSTEOSERVE_COLUMN_ENCRYPTION needs"):
        check(Settings(var=tmp_path, column_encryption=True))


async def test_without_the_key_nothing_starts_and_nothing_is_lost(keys: Keys) -> None:
    async with keys.opened() as database:
        one = await filled(database)
    keys.put(SECOND)
    with pytest.raises(KeysError, match="is missing"):
        async with keys.opened():
            pass
    # One that was open before sees neither text nor ciphertext.
    open_before = Database(keys.settings)
    try:
        with pytest.raises(UnreadableError):
            await verbs(open_before).exams.get(ANYONE, one.id)
    finally:
        await open_before.close()
    keys.put(SECOND, FIRST)
    async with keys.opened() as database:
        await whole(database, one)
