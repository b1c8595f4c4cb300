"""Files that runs and models own: snapshots, artifacts, reports; in a folder, or in an object store by URL."""

from loanwatch.storage.choice import open_storage
from loanwatch.storage.local import Storage, digest_of, file_error

__all__ = ["Storage", "digest_of", "file_error", "open_storage"]
