"""What can be chosen about the local Airflow, read from the environment once."""

import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast

from loanwatch.errors import SettingsError
from loanwatch.records import record

__all__ = ["Options", "free_port"]

_EXECUTORS = {"local": "LocalExecutor", "celery": "CeleryExecutor"}


@record
class Options:
    """Ports, executor and folders of one local Airflow."""

    executor: Literal["local", "celery"]
    airflow_port: int
    predictor_port: int
    workers: int
    """Celery workers; LocalExecutor has none."""
    redis_url: str | None
    """A broker that runs already; None to start one."""
    dags_folder: Path

    @property
    def executor_class(self) -> str:
        """Airflow's name of the executor."""
        return _EXECUTORS[self.executor]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, dags_folder: Path) -> "Options":
        """Read EXECUTOR, AIRFLOW_PORT, PREDICTOR_PORT, WORKERS and REDIS_URL.

        Raises
        ------
        SettingsError
            With the variable that has a value of no use.
        """
        executor = environment.get("EXECUTOR", "local").lower().removesuffix("executor")
        if executor not in _EXECUTORS:
            raise SettingsError(f"variable EXECUTOR: expected local or celery, got {executor!r}")
        redis_url = environment.get("REDIS_URL") or None
        if executor == "celery" and redis_url is None and shutil.which("redis-server") is None:
            raise SettingsError(
                "EXECUTOR=celery needs Redis: install redis-server (Debian: apt-get install redis-server), "
                "or name a server in REDIS_URL"
            )
        return cls(
            executor=cast('Literal["local", "celery"]', executor),
            airflow_port=_port(environment, "AIRFLOW_PORT", 8080),
            predictor_port=_port(environment, "PREDICTOR_PORT", 5100),
            workers=_number(environment, "WORKERS", 1, most=64),
            redis_url=redis_url,
            dags_folder=dags_folder,
        )


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    port = _number(environment, name, default, most=65_535)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SettingsError(f"port {port} is taken: stop what listens there, or set {name} to another") from error
    return port


def _number(environment: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise SettingsError(f"variable {name}: expected a whole number from 1 to {most:,}, got {text!r}")
    return int(text)
