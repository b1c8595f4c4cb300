"""Files that runs and models own: snapshots, artifacts, reports."""

from loanwatch.storage.local import Storage, digest_of, file_error

__all__ = ["Storage", "digest_of", "file_error"]
