"""Versions of a model: rows of `ml_model`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from loanwatch.database import sql
from loanwatch.errors import ModelNotFoundError
from loanwatch.records import record

__all__ = ["ModelVersion", "find_version", "online_version", "register", "version_by_id", "versions"]


@record
class ModelVersion:
    """One trained model that the registry knows."""

    id: int
    name: str
    version: int
    status: str
    """`training`, `online` (at most one a name), `offline` or `deprecated`."""
    run_id: int | None
    deployed_at: datetime | None
    digest: str | None
    """Names the model's files; None for models that other programs registered."""
    metadata: Mapping[str, Any]
    """Training window, metrics, settings, code version, importance of the columns."""
    created_at: datetime

    @property
    def title(self) -> str:
        """How people name the version."""
        return f"{self.name} v{self.version}"


def versions(connection: Connection[Any], name: str, *, status: str | None = None) -> list[ModelVersion]:
    """Return the versions of a model, newest first."""
    return _select(connection, name, version=None, status=status)


def online_version(connection: Connection[Any], name: str) -> ModelVersion | None:
    """Return the deployed version, or None before the first deployment."""
    found = _select(connection, name, version=None, status="online")
    return found[0] if found else None


def find_version(connection: Connection[Any], name: str, version: int) -> ModelVersion:
    """Return one version by its number.

    Raises
    ------
    ModelNotFoundError
        If it is not registered; the message lists what is.
    """
    if found := _select(connection, name, version=version, status=None):
        return found[0]
    known = [v.version for v in versions(connection, name)]
    there = f"its versions are {', '.join(map(str, sorted(known)))}" if known else "none has been trained yet"
    raise ModelNotFoundError(f"model {name} has no version {version}: {there}")


def version_by_id(connection: Connection[Any], model_id: int) -> ModelVersion:
    """Return one version by its row.

    Raises
    ------
    ModelNotFoundError
        If there is no such row.
    """
    with connection.cursor(row_factory=class_row(ModelVersion)) as cursor:
        found = cursor.execute(sql("model_by_id"), {"id": model_id}).fetchone()
    if found is None:
        raise ModelNotFoundError(f"no model has the id {model_id}")
    return found


def register(
    connection: Connection[Any], *, name: str, run_id: int | None, digest: str, metadata: Mapping[str, Any]
) -> ModelVersion:
    """Add a trained model as the next version, offline, inside the caller's transaction."""
    connection.execute(sql("model_lock"), {"name": name})
    with connection.cursor(row_factory=class_row(ModelVersion)) as cursor:
        cursor.execute(
            sql("model_register"),
            {"name": name, "run_id": run_id, "digest": digest, "metadata": Jsonb(dict(metadata))},
        )
        registered = cursor.fetchone()
    assert registered is not None  # noqa: S101  (INSERT … RETURNING of one row)
    return registered


def _select(connection: Connection[Any], name: str, *, version: int | None, status: str | None) -> list[ModelVersion]:
    with connection.cursor(row_factory=class_row(ModelVersion)) as cursor:
        return cursor.execute(sql("model_select"), {"name": name, "version": version, "status": status}).fetchall()
