"""Everything that loanwatch raises on purpose.

Each class carries its default message as its docstring. `retryable` tells a scheduler whether the same call can
succeed later without anybody changing anything.
"""

from typing import ClassVar

__all__ = [
    "ArtifactError",
    "ContractError",
    "DatabaseError",
    "DatabaseUnavailableError",
    "LoadError",
    "LoanwatchError",
    "ModelNotFoundError",
    "NotEnoughDataError",
    "RunBusyError",
    "SettingsError",
    "SourceError",
    "StorageError",
    "WindowError",
    "shorten",
]

_MESSAGE_LIMIT = 2_000


def shorten(value: object, limit: int = 80) -> str:
    """Return the text of a value, cut in the middle so that no message grows with the data.

    >>> shorten("x" * 100, limit=10)
    'xxxx…xxxxx'
    """
    text = str(value)
    if len(text) <= limit:
        return text
    head = (limit - 1) // 2
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


class LoanwatchError(Exception):
    """Something went wrong in loanwatch."""

    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(shorten(message or self.__doc__ or type(self).__name__, _MESSAGE_LIMIT))


class SettingsError(LoanwatchError):
    """A setting has a value that cannot be used."""


class ContractError(LoanwatchError):
    """The contract does not say what an application looks like."""


class DatabaseError(LoanwatchError):
    """The database refused a statement."""


class DatabaseUnavailableError(DatabaseError):
    """The database cannot be reached."""

    retryable = True


class SourceError(LoanwatchError):
    """The source tables are not as the contract says."""


class LoadError(LoanwatchError):
    """The files cannot be loaded; nothing was written."""


class WindowError(LoanwatchError):
    """The window of applications cannot be used."""


class NotEnoughDataError(LoanwatchError):
    """There are too few applications for what was asked."""


class StorageError(LoanwatchError):
    """A file cannot be written or read."""


class ArtifactError(StorageError):
    """A model's files are not those that were registered."""


class ModelNotFoundError(LoanwatchError):
    """No such model is registered."""


class RunBusyError(LoanwatchError):
    """Another process is working on this step of the run."""

    retryable = True
