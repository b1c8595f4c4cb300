"""A folder of files, each of which is whole or absent.

Keys are relative paths with `/`. A file is written beside its place, synced, and renamed, so that a killed process
leaves nothing half-written under a key.
"""

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from loanwatch.errors import StorageError

__all__ = ["Storage", "digest_of", "file_error"]


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of the content in hexadecimal.

    >>> digest_of(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(content).hexdigest()


class Storage:
    """Atomic files under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Return where the key's file lies, whether or not it exists.

        Raises
        ------
        StorageError
            If the key leads out of the folder.
        """
        path = (self.folder / key).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise StorageError(f"{key!r} leads out of {self.folder}")
        return path

    def location(self, key: str) -> str:
        """Return where people find the key's file."""
        return str(self.path(key))

    def exists(self, key: str) -> bool:
        """Tell whether the key has a file."""
        return self.path(key).is_file()

    def read(self, key: str) -> bytes:
        """Return the key's content.

        Raises
        ------
        StorageError
            If there is no such file or it cannot be read.
        """
        with _explained("read", self.path(key)):
            return self.path(key).read_bytes()

    def write(self, key: str, content: bytes) -> Path:
        """Put the content under the key, replacing what was there, and return its path.

        Raises
        ------
        StorageError
            If the folder cannot be written or is full; what was under the key stays.
        """
        with self.writing(key) as path:
            path.write_bytes(content)
        return self.path(key)

    @contextlib.contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """Give a path to write to; on leaving without an error it becomes the key's file.

        Raises
        ------
        StorageError
            If the folder cannot be written or is full; what was under the key stays.
        """
        target = self.path(key)
        with _explained("written", target):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
            os.close(handle)
            draft = Path(name)
            try:
                yield draft
                with draft.open("rb") as file:
                    os.fsync(file.fileno())
                draft.chmod(0o644)
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)


def file_error(error: OSError, path: Path, *, verb: str) -> StorageError:
    """Return what to tell about a file that cannot be `verb` (read, written), with what to do about it."""
    advice = {
        errno.ENOSPC: "the disk is full: free some space or set LOANWATCH_HOME to another disk",
        errno.EDQUOT: "the disk quota is used up: free some space or set LOANWATCH_HOME to another disk",
        errno.EROFS: "the file system is read-only: set LOANWATCH_HOME to a folder that can be written",
        errno.EACCES: "permission denied: set LOANWATCH_HOME to a folder that you may write",
        errno.ENOENT: "there is no such file",
    }.get(error.errno or 0, error.strerror or str(error))
    return StorageError(f"{path} cannot be {verb}: {advice}")


@contextlib.contextmanager
def _explained(verb: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise file_error(error, path, verb=verb) from error
