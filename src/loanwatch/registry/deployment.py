"""Deploying and rolling back: one transaction each, so that there is never no model and never two."""

from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from loanwatch.database import sql
from loanwatch.errors import ModelNotFoundError, RunBusyError
from loanwatch.records import record
from loanwatch.registry.versions import ModelVersion, online_version, version_by_id

__all__ = ["Deployment", "deploy", "deployments", "hold_deployments", "rollback"]


@record
class Deployment:
    """One line of the journal."""

    id: int
    model_id: int
    version: int
    previous_version: int | None
    run_id: int | None
    action: str
    """`deploy` or `rollback`."""
    reason: str | None
    actor: str | None
    deployed_at: datetime


def deploy(
    connection: Connection[Any],
    model: ModelVersion,
    *,
    expected_champion_id: int | None,
    reason: str,
    actor: str,
    run_id: int | None = None,
) -> None:
    """Put a version online in the caller's transaction; waiting predictors are notified when it commits.

    Parameters
    ----------
    connection : Connection
        In a transaction that the caller commits.
    model : ModelVersion
        What goes online.
    expected_champion_id : int or None
        The version that the caller compared with; None where none was online.
    reason, actor : str
        For the journal.
    run_id : int or None
        The run that decided it.

    Raises
    ------
    RunBusyError
        If another version went online since the comparison: the comparison no longer holds.
    """
    hold_deployments(connection, model.name)
    champion = online_version(connection, model.name)
    champion_id = champion.id if champion else None
    if champion_id == model.id:
        return
    if champion_id != expected_champion_id:
        raise RunBusyError(
            f"{champion.title if champion else 'nothing'} is online now, which is not what {model.title} was "
            "compared with: run the window with --again to compare anew"
        )
    _switch(connection, model, champion_id, run_id=run_id, action="deploy", reason=reason, actor=actor)


def rollback(connection: Connection[Any], name: str, *, reason: str, actor: str) -> tuple[ModelVersion, ModelVersion]:
    """Put the previous version online again, in the caller's transaction.

    Returns
    -------
    tuple of ModelVersion
        What was online, and what is online now. Rolling back again goes one version further back.

    Raises
    ------
    ModelNotFoundError
        If nothing was deployed before the version that is online.
    """
    hold_deployments(connection, name)
    with connection.cursor(row_factory=scalar_row) as cursor:
        target_id = cursor.execute(sql("deployment_previous"), {"name": name}).fetchone()
    if target_id is None:
        raise ModelNotFoundError(f"model {name} has no earlier deployment to roll back to")
    current = online_version(connection, name)
    assert current is not None  # noqa: S101  (deployment_previous joined the online version)
    target = version_by_id(connection, target_id)
    _switch(connection, target, current.id, run_id=None, action="rollback", reason=reason, actor=actor)
    return version_by_id(connection, current.id), version_by_id(connection, target_id)


def hold_deployments(connection: Connection[Any], name: str) -> None:
    """Let nobody deploy a version of a model or roll it back until the caller's transaction ends."""
    connection.execute(sql("model_lock"), {"name": name})


def deployments(connection: Connection[Any], name: str) -> list[Deployment]:
    """Return the journal of a model, newest first."""
    with connection.cursor(row_factory=class_row(Deployment)) as cursor:
        return cursor.execute(sql("deployment_select"), {"name": name}).fetchall()


def _switch(
    connection: Connection[Any],
    model: ModelVersion,
    previous_id: int | None,
    *,
    run_id: int | None,
    action: str,
    reason: str,
    actor: str,
) -> None:
    connection.execute(sql("model_take_offline"), {"name": model.name})
    connection.execute(sql("model_put_online"), {"id": model.id})
    connection.execute(
        sql("deployment_insert"),
        {
            "model_id": model.id,
            "previous_model_id": previous_id,
            "run_id": run_id,
            "action": action,
            "reason": reason,
            "actor": actor,
        },
    )
    connection.execute("SELECT pg_notify('loanwatch_deployment', %s)", (model.name,))
