"""Where files lie, by the settings."""

from typing import Literal

from loanwatch.settings import Settings
from loanwatch.storage.local import Storage

__all__ = ["open_storage"]


def open_storage(settings: Settings, area: Literal["runs", "models", "reports"]) -> Storage:
    """Return the storage of one kind of file: below `storage_url` where that is set, else in `home`.

    Raises
    ------
    SettingsError
        If the URL cannot be used.
    """
    folders = {
        "runs": settings.snapshot_folder,
        "models": settings.model_folder,
        "reports": settings.report_folder,
    }
    if settings.storage_url is None:
        return Storage(folders[area])
    from loanwatch.storage.object_store import ObjectStorage  # noqa: PLC0415

    return ObjectStorage(f"{settings.storage_url.rstrip('/')}/{area}", cache=folders[area])
