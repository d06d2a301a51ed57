from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.edge.folder import (
    SETTLE_SECONDS,
    ChangedError,
    Entry,
    FolderError,
    TooLargeError,
    WatchedFolder,
)

MOST = 1000


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path, clock: Clock) -> WatchedFolder:
    opened = WatchedFolder(tmp_path / "edge", clock)
    opened.open()
    return opened


def settled(folder: WatchedFolder, clock: Clock) -> list[Entry]:
    folder.settled()
    clock.now += SETTLE_SECONDS
    return folder.settled()


def put(folder: WatchedFolder, name: str, content: bytes = b"scan") -> Path:
    path = folder.incoming / name
    path.write_bytes(content)
    return path


def test_only_its_owner_may_look_into_what_is_made(folder: WatchedFolder) -> None:
    assert {one.name for one in folder.root.iterdir()} == {"in", "judged", "refused"}
    assert {one.stat().st_mode & 0o777 for one in folder.root.iterdir()} == {0o700}


def test_a_file_is_taken_once_it_stays_as_it_is(folder: WatchedFolder, clock: Clock) -> None:
    path = put(folder, "a.dcm", b"one")
    assert folder.settled() == []
    clock.now += SETTLE_SECONDS - 0.1
    assert folder.settled() == []

    with path.open("ab") as file:
        file.write(b"two")
    clock.now += 1
    assert folder.settled() == []
    clock.now += SETTLE_SECONDS - 0.1
    assert folder.settled() == []

    clock.now += 0.1
    (entry,) = folder.settled()
    assert folder.read(entry, MOST) == b"onetwo"


def test_a_file_that_grows_after_it_was_found_is_not_read(
    folder: WatchedFolder, clock: Clock
) -> None:
    path = put(folder, "a.dcm")
    (entry,) = settled(folder, clock)
    with path.open("ab") as file:
        file.write(b" more")
    with pytest.raises(ChangedError):
        folder.read(entry, MOST)


def test_the_oldest_comes_first(folder: WatchedFolder, clock: Clock) -> None:
    for name, second in (("b", 20), ("a", 30), ("c", 10)):
        os.utime(put(folder, name), (second, second))
    assert [one.name for one in settled(folder, clock)] == ["c", "b", "a"]


@pytest.mark.parametrize(
    "name", [".a.dcm", "a.dcm.part", "A.DCM.TMP", "a.crdownload", "a.dcm~", "Thumbs.db"]
)
def test_a_file_under_another_s_working_name_waits_until_it_is_renamed(
    name: str, folder: WatchedFolder, clock: Clock
) -> None:
    path = put(folder, name)
    assert settled(folder, clock) == []
    path.rename(folder.incoming / "a.dcm")
    assert [one.name for one in settled(folder, clock)] == ["a.dcm"]


def test_folders_are_left_alone(folder: WatchedFolder, clock: Clock) -> None:
    (folder.incoming / "deep").mkdir()
    (folder.incoming / "deep" / "a.dcm").write_bytes(b"scan")
    assert settled(folder, clock) == []


def test_a_link_is_never_followed(folder: WatchedFolder, clock: Clock, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (folder.incoming / "a.dcm").symlink_to(secret)
    (entry,) = settled(folder, clock)
    assert not entry.state.is_file
    with pytest.raises(ChangedError):
        folder.read(entry, MOST)


def test_a_link_that_takes_a_file_s_place_is_not_followed(
    folder: WatchedFolder, clock: Clock, tmp_path: Path
) -> None:
    path = put(folder, "a.dcm")
    (entry,) = settled(folder, clock)
    other = tmp_path / "other"
    path.rename(other)
    path.symlink_to(other)
    with pytest.raises(ChangedError):
        folder.read(entry, MOST)


def test_a_pipe_holds_nothing_up(folder: WatchedFolder, clock: Clock) -> None:
    os.mkfifo(folder.incoming / "a.dcm")
    (entry,) = settled(folder, clock)
    assert not entry.state.is_file
    with pytest.raises(ChangedError):
        folder.read(entry, MOST)


def test_no_more_is_read_than_allowed(folder: WatchedFolder, clock: Clock) -> None:
    put(folder, "a.dcm", bytes(MOST + 1))
    (entry,) = settled(folder, clock)
    with pytest.raises(TooLargeError):
        folder.read(entry, MOST)


def test_a_file_lies_beside_its_answer_and_its_name_nowhere(
    folder: WatchedFolder, clock: Clock
) -> None:
    put(folder, "SECRET^NAME.dcm")
    (entry,) = settled(folder, clock)
    place = folder.put_away(entry, "judged", "7f9c", {"result.json": b"{}"}, ".dcm")
    assert place == folder.root / "judged" / "7f9c"
    assert {one.name: one.read_bytes() for one in place.iterdir()} == {
        "result.json": b"{}",
        "scan.dcm": b"scan",
    }
    assert not [one for one in folder.root.rglob("*") if "SECRET" in one.name]
    assert settled(folder, clock) == []


def test_what_is_there_already_is_not_written_over(folder: WatchedFolder, clock: Clock) -> None:
    for content in (b"one", b"two", b"three"):
        put(folder, "a.dcm", content)
        (entry,) = settled(folder, clock)
        folder.put_away(entry, "judged", "7f9c", {}, ".dcm")
    found = {one.parent.name: one.read_bytes() for one in folder.root.glob("judged/*/scan.dcm")}
    assert found == {"7f9c": b"one", "7f9c-2": b"two", "7f9c-3": b"three"}


def test_an_answer_never_lies_beside_another_file(folder: WatchedFolder, clock: Clock) -> None:
    put(folder, "a.dcm", b"one")
    (entry,) = settled(folder, clock)
    (folder.incoming / "a.dcm").unlink()
    put(folder, "a.dcm", b"another")
    with pytest.raises(ChangedError):
        folder.put_away(entry, "judged", "7f9c", {"result.json": b"{}"}, ".dcm")
    assert list((folder.root / "judged").iterdir()) == []
    assert (folder.incoming / "a.dcm").read_bytes() == b"another"


class KilledError(Exception):
    pass


@pytest.fixture(params=["before the file is moved", "after the file is moved"])
def killed(
    request: pytest.FixtureRequest,
    folder: WatchedFolder,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """An answer that was broken off."""
    put(folder, "a.dcm")
    (entry,) = settled(folder, clock)
    renames = 0 if request.param.startswith("before") else 1
    real = Path.rename

    def rename(path: Path, target: Path) -> Path:
        nonlocal renames
        if renames == 0:
            raise KilledError
        renames -= 1
        return real(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename)
        with pytest.raises(KilledError):
            folder.put_away(entry, "judged", "7f9c", {"result.json": b"{}"}, ".dcm")
    return request.param


def test_what_a_crash_left_is_ended_or_begun_anew(
    killed: str, folder: WatchedFolder, clock: Clock
) -> None:
    again = WatchedFolder(folder.root, clock)
    again.open()
    left = [one.name for one in settled(again, clock)]
    judged = sorted(one.name for one in folder.root.glob("judged/*"))
    if killed.startswith("before"):
        assert (left, judged) == (["a.dcm"], [])
    else:
        assert (left, judged) == ([], ["7f9c"])
        assert (folder.root / "judged/7f9c/scan.dcm").read_bytes() == b"scan"


def test_a_file_in_the_folder_s_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "edge").write_bytes(b"")
    with pytest.raises(FolderError, match="a folder that may be written is allowed"):
        WatchedFolder(tmp_path / "edge").open()
