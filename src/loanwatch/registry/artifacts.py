"""A model's files, under the digest of their manifest.

The manifest maps each file name to its SHA-256 and is written last; its own digest names the folder and stands in
the database. A file that was changed, swapped or lost is noticed before anything of it is used.
"""

import json
from collections.abc import Mapping

from loanwatch.errors import ArtifactError, StorageError
from loanwatch.storage import Storage, digest_of

__all__ = ["load_artifact", "save_artifact"]

_MANIFEST = "manifest.json"


def save_artifact(storage: Storage, name: str, files: Mapping[str, bytes]) -> str:
    """Write the files of a model and return their digest.

    The same files give the same digest and the same place, so saving twice is harmless.

    Raises
    ------
    StorageError
        If the files cannot be written; no manifest is left behind, so that the digest cannot be loaded.
    """
    manifest = json.dumps({key: digest_of(content) for key, content in sorted(files.items())}, indent=1).encode()
    digest = digest_of(manifest)
    for key, content in files.items():
        storage.write(_key(name, digest, key), content)
    storage.write(_key(name, digest, _MANIFEST), manifest)
    return digest


def load_artifact(storage: Storage, name: str, digest: str) -> dict[str, bytes]:
    """Read the files that were saved under a digest.

    Raises
    ------
    ArtifactError
        If a file is missing or is not the one that was saved.
    """
    manifest = _read(storage, _key(name, digest, _MANIFEST))
    if digest_of(manifest) != digest:
        raise ArtifactError(
            f"{storage.path(_key(name, digest, _MANIFEST))} does not have the registered digest {digest[:12]}…: "
            "restore the file, or roll back to another version"
        )
    files = {}
    for key, expected in json.loads(manifest).items():
        content = _read(storage, _key(name, digest, key))
        if digest_of(content) != expected:
            raise ArtifactError(
                f"{storage.path(_key(name, digest, key))} was changed after it was registered: "
                "restore the file, or roll back to another version"
            )
        files[key] = content
    return files


def _key(name: str, digest: str, file: str) -> str:
    return f"{name}/{digest[:16]}/{file}"


def _read(storage: Storage, key: str) -> bytes:
    try:
        return storage.read(key)
    except StorageError as error:
        raise ArtifactError(f"the model's file {storage.path(key)} is missing or unreadable: {error}") from error
