"""A key is whole or absent."""

import errno
from pathlib import Path

import pytest

from loanwatch.errors import StorageError
from loanwatch.storage import Storage


def test_what_was_written_is_read(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    path = storage.write("a/b.txt", b"content")
    assert path == tmp_path / "a" / "b.txt"
    assert storage.read("a/b.txt") == b"content"
    assert storage.exists("a/b.txt")


def test_a_write_that_fails_leaves_what_was_there_and_no_draft(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    storage.write("a.txt", b"old")

    def fail_in_the_middle() -> None:
        with storage.writing("a.txt") as draft:
            draft.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageError, match="the disk is full"):
        fail_in_the_middle()
    assert storage.read("a.txt") == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_an_error_that_is_not_about_files_passes_through(tmp_path: Path) -> None:
    def fail() -> None:
        with Storage(tmp_path).writing("a.txt"):
            raise KeyError("not ours")

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["../outside", "a/../../outside", "/etc/passwd"])
def test_a_key_cannot_lead_out_of_the_folder(tmp_path: Path, key: str) -> None:
    with pytest.raises(StorageError, match="leads out of"):
        Storage(tmp_path / "inside").path(key)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"a\.txt cannot be read: there is no such file"):
        Storage(tmp_path).read("a.txt")


def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="cannot be written"):
        Storage(tmp_path / "home").write("a.txt", b"")
