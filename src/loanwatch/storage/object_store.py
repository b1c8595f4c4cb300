"""Files in an object store such as S3, with a folder of this machine as a cache.

An object is whole or absent by the store's own contract; a draft is uploaded before it takes its place in the cache, so
that what one machine sees under a key every machine sees.
"""

import contextlib
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from loanwatch.errors import SettingsError, StorageError
from loanwatch.storage.local import Storage

__all__ = ["ObjectStorage"]

_TIMEOUT = timedelta(seconds=60)


class ObjectStorage(Storage):
    """Objects under one URL.

    Parameters
    ----------
    url : str
        `s3://bucket/prefix`, `gs://…`, `az://…`; access as the provider's own variables say, such as
        `AWS_ACCESS_KEY_ID`, `AWS_REGION` and `AWS_ENDPOINT_URL`.
    cache : Path
        Folder for copies; each is compared with the store's before it is used.

    Raises
    ------
    SettingsError
        If the library for it is not installed or the URL cannot be used.
    """

    def __init__(self, url: str, *, cache: Path) -> None:
        super().__init__(cache)
        self._cache = Storage(cache)
        self.url = url.rstrip("/")
        self._store = _open(self.url)

    def path(self, key: str) -> Path:
        """Return the copy of the key's object, renewed if the store has another; absent if the store has none."""
        local = self._cache.path(key)
        tag = self._tag(key)
        mark = local.with_name(f".{local.name}.etag")
        if tag is None:
            local.unlink(missing_ok=True)
        elif not local.is_file() or not mark.is_file() or mark.read_text(encoding="utf-8") != tag:
            content = self.read(key)
            with self._cache.writing(key) as draft:
                draft.write_bytes(content)
            self._mark(mark, tag)
        return local

    def location(self, key: str) -> str:
        """Return the object's URL."""
        return f"{self.url}/{key}"

    def exists(self, key: str) -> bool:
        """Tell whether the store has the key."""
        return self._tag(key) is not None

    def read(self, key: str) -> bytes:
        """Return the object's content.

        Raises
        ------
        StorageError
            If there is none, or the store does not give it.
        """
        import obstore  # noqa: PLC0415  (an extra)

        self._cache.path(key)
        with self._explained("read", key):
            return bytes(obstore.get(self._store, key).bytes())

    @contextlib.contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """Give a path to write to; on leaving without an error it is uploaded under the key.

        Raises
        ------
        StorageError
            If the store does not take it; what was under the key stays.
        """
        import obstore  # noqa: PLC0415

        with self._cache.writing(key) as draft:
            yield draft
            with self._explained("written", key):
                put = obstore.put(self._store, key, draft)
        local = self._cache.path(key)
        self._mark(local.with_name(f".{local.name}.etag"), put["e_tag"] or "")

    def _tag(self, key: str) -> str | None:
        """Return what tells this content from another, or None where there is no object."""
        import obstore  # noqa: PLC0415

        self._cache.path(key)
        try:
            with self._explained("found", key):
                found = obstore.head(self._store, key)
        except _NoObjectError:
            return None
        return found["e_tag"] or f"{found['size']}-{found['last_modified'].isoformat()}"

    def _mark(self, mark: Path, tag: str) -> None:
        mark.write_text(tag, encoding="utf-8")

    @contextlib.contextmanager
    def _explained(self, verb: str, key: str) -> Iterator[None]:
        from obstore.exceptions import BaseError  # noqa: PLC0415

        try:
            yield
        except FileNotFoundError as error:
            raise _NoObjectError(f"{self.location(key)} cannot be {verb}: there is no such object") from error
        except BaseError as error:
            reason = str(error).partition("\n")[0]
            raise StorageError(f"{self.location(key)} cannot be {verb}: {reason}") from error


class _NoObjectError(StorageError):
    """There is no such object."""


def _open(url: str) -> Any:  # noqa: ANN401  (the stores have no common class)
    try:
        from obstore.exceptions import BaseError  # noqa: PLC0415
        from obstore.store import from_url  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "setting storage_url: object stores need the extra object-store: pip install 'loanwatch[object-store]'"
        ) from error
    # a server beside this one, such as a MinIO of one's own, is often without TLS
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    try:
        return from_url(url, client_options={"allow_http": plain, "timeout": _TIMEOUT})
    except (BaseError, ValueError) as error:
        raise SettingsError(f"setting storage_url: {url} cannot be used: {error}") from error
