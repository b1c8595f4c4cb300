"""Decisions on disk survive whoever wrote them, and go when they were taken."""

import errno
import os
import stat
import subprocess
import sys

import pytest

from loanwatch.errors import StorageError
from loanwatch.predictor.spool import Spool


def take_all(spool, limit=1 << 20):
    taken = b""
    for segment in spool.waiting():
        while segment.untaken:
            data = segment.read(limit)
            if not data:
                segment.drop_torn_end()
                break
            taken += data
            segment.taken += len(data)
    spool.tidy()
    return taken


def files(folder):
    return sorted(path.name for path in folder.glob("*.decisions"))


def test_what_is_written_is_read_once_and_in_order(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.append(b"one\n")
    spool.append(b"two\nthree\n")
    assert take_all(spool) == b"one\ntwo\nthree\n"
    spool.append(b"four\n")
    assert spool.untaken == 5
    assert take_all(spool) == b"four\n"
    assert spool.untaken == 0


def test_a_read_ends_at_a_line_even_one_longer_than_asked_for(tmp_path):
    spool = Spool(tmp_path)
    spool.append(b"a" * 50 + b"\nbb\ncc\n")
    (segment,) = spool.waiting()
    assert segment.read(5) == b"a" * 50 + b"\n"
    segment.taken += 51
    assert segment.read(5) == b"bb\n"


def test_full_segments_are_followed_and_deleted_when_taken(tmp_path):
    spool = Spool(tmp_path, segment_bytes=10)
    for number in range(6):
        spool.append(f"line {number}\n".encode())
    assert len(files(tmp_path)) == 3
    assert take_all(spool).count(b"\n") == 6
    assert len(files(tmp_path)) == 1
    spool.close()
    assert files(tmp_path) == []


def test_closing_keeps_what_was_not_taken_for_the_next_process(tmp_path):
    first = Spool(tmp_path)
    first.append(b"one\n")
    first.close()
    second = Spool(tmp_path)
    assert second.adopt() == 1
    assert take_all(second) == b"one\n"
    assert files(tmp_path) == []


def test_nobody_takes_the_segments_of_a_living_process(tmp_path):
    living, other = Spool(tmp_path), Spool(tmp_path)
    living.append(b"one\n")
    assert other.adopt() == 0
    assert living.adopt() == 0
    assert take_all(living) == b"one\n"


def test_a_killed_process_leaves_whole_lines_and_its_torn_end_is_dropped(tmp_path):
    code = (
        "import os, sys, pathlib; from loanwatch.predictor.spool import Spool\n"
        "spool = Spool(pathlib.Path(sys.argv[1])); spool.append(b'one\\ntwo\\n')\n"
        "os.write(spool._active._descriptor, b'torn'); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9
    spool = Spool(tmp_path)
    assert spool.adopt() == 1
    assert take_all(spool) == b"one\ntwo\n"
    assert files(tmp_path) == []


def test_a_full_disk_writes_nothing_and_says_so(tmp_path, monkeypatch):
    spool = Spool(tmp_path)
    spool.append(b"one\n")
    write = os.write

    def full(descriptor, data):
        if len(data) > 2:
            return write(descriptor, data[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageError, match="No space left"):
        spool.append(b"two\n")
    monkeypatch.undo()
    spool.append(b"three\n")
    assert take_all(spool) == b"one\nthree\n"


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        Spool(tmp_path / "file" / "spool").append(b"one\n")


def test_applicants_data_is_for_the_owner_only(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.append(b"one\n")
    (path,) = (tmp_path / "spool").glob("*.decisions")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_syncing_covers_what_the_database_does_not_have(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    spool = Spool(tmp_path)
    spool.append(b"one\n")
    spool.sync()
    spool.sync()
    assert len(synced) == 1
    spool.append(b"two\n")
    spool.sync()
    assert len(synced) == 2
