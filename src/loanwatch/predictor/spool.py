"""Decisions on disk, between the answer and the database.

Each process appends to segments of its own, before it answers; whoever was killed leaves segments behind, and whoever
can lock those takes them over. A segment is deleted when the database has all of it, so what a crash leaves is written
again, and the decisions' ids keep that from making two of one.

A line that was written survives the end of the process, however it ends. What the database has not taken within a
moment is synced to the disk as well, and survives the end of the machine.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from loanwatch.errors import StorageError
from loanwatch.logging import get_logger

__all__ = ["SEGMENT_BYTES", "Segment", "Spool"]

SEGMENT_BYTES = 16 * 2**20
"""A segment that is larger than this is followed by a new one."""

_SUFFIX = ".decisions"


class Segment:
    """One append-only file, locked as long as it is open."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.written = os.fstat(descriptor).st_size
        self.taken = 0
        """Bytes from the start that the database has."""
        self._synced = 0
        self._descriptor = descriptor

    @classmethod
    def create(cls, folder: Path) -> "Segment":
        """Make a new one.

        Raises
        ------
        StorageError
            If the folder cannot be written.
        """
        path = folder / f"{time.time_ns():020d}-{os.getpid()}{_SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Not seen by others before it is locked: they would take it for a dead process's.
            draft = path.with_suffix(".new")
            descriptor = os.open(draft, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.rename(path)
        except OSError as error:
            raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error
        return cls(path, descriptor)

    @classmethod
    def adopt(cls, path: Path) -> "Segment | None":
        """Open one that a dead process left, or return None if it is somebody's or gone."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        if os.fstat(descriptor).st_nlink == 0:  # its owner finished it between our two steps
            os.close(descriptor)
            return None
        return cls(path, descriptor)

    @property
    def untaken(self) -> int:
        """Bytes that the database does not have yet."""
        return self.written - self.taken

    def append(self, lines: bytes) -> None:
        """Write whole lines, or nothing of them.

        Raises
        ------
        StorageError
            If the disk is full or fails.
        """
        done = 0
        try:
            while done < len(lines):
                done += os.write(self._descriptor, lines[done:] if done else lines)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self.written)
            raise StorageError(f"{self.path} cannot be written: {error.strerror or error}") from error
        self.written += len(lines)

    def read(self, limit: int) -> bytes:
        """Return whole lines that the database does not have: at most `limit` bytes, but at least one line if any."""
        available = self.written - self.taken
        chunk = os.pread(self._descriptor, min(limit, available), self.taken)
        end = chunk.rfind(b"\n") + 1
        if end == 0 and len(chunk) < available:
            chunk = os.pread(self._descriptor, available, self.taken)
            end = chunk.find(b"\n") + 1
        return chunk[:end]

    def drop_torn_end(self) -> None:
        """Forget an unfinished last line: its writer was killed before it answered."""
        self.written = self.taken

    def sync(self) -> None:
        """Put on the disk what was written."""
        if self._synced < self.written:
            written = self.written
            os.fdatasync(self._descriptor)
            self._synced = written

    def delete(self) -> None:
        """Remove the file, and let go of it."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file, which stays."""
        os.close(self._descriptor)


class Spool:
    """The segments of one process; `append` from any thread, all else from the thread that writes to the database.

    Parameters
    ----------
    folder : Path
        Shared by all processes that serve the same database.
    segment_bytes : int
        Size from which a new segment is begun.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self.segment_bytes = segment_bytes
        self._lock = Lock()
        self._active: Segment | None = None
        self._full: list[Segment] = []
        self._log = get_logger("spool")

    def append(self, lines: bytes) -> None:
        """Write decisions.

        Raises
        ------
        StorageError
            If the disk is full or fails; nothing was written.
        """
        with self._lock:
            if self._active is None:
                self._active = Segment.create(self.folder)
            elif self._active.written >= self.segment_bytes:
                following = Segment.create(self.folder)
                self._full.append(self._active)
                self._active = following
            self._active.append(lines)

    @property
    def untaken(self) -> int:
        """Bytes of this process that the database does not have yet."""
        with self._lock:
            return sum(segment.untaken for segment in self._segments())

    def adopt(self) -> int:
        """Take over the segments of dead processes; return how many there were."""
        if not self.folder.is_dir():
            return 0
        with self._lock:
            own = {segment.path for segment in self._segments()}
        found = []
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            if path not in own and (segment := Segment.adopt(path)) is not None:
                self._log.info("segment adopted", segment=path.name, bytes=segment.written)
                found.append(segment)
        with self._lock:
            self._full.extend(found)
        return len(found)

    def waiting(self) -> Iterator[Segment]:
        """Yield the segments that hold something for the database, the oldest first."""
        with self._lock:
            segments = self._segments()
        yield from (segment for segment in segments if segment.untaken)

    def tidy(self) -> None:
        """Delete the full segments that the database has."""
        with self._lock:
            done = [segment for segment in self._full if not segment.untaken]
            self._full = [segment for segment in self._full if segment.untaken]
        for segment in done:
            segment.delete()

    def sync(self) -> None:
        """Put on the disk what the database does not have."""
        for segment in self.waiting():
            segment.sync()

    def close(self) -> None:
        """Let go of all segments; those that the database has are deleted."""
        with self._lock:
            segments, self._active, self._full = self._segments(), None, []
        for segment in segments:
            if segment.untaken:
                segment.sync()
                segment.close()
            else:
                segment.delete()

    def _segments(self) -> list[Segment]:
        return [*self._full, *([self._active] if self._active else [])]
