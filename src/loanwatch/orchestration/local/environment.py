"""Airflow's settings as variables: everything that differs from its defaults, and why."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from loanwatch.orchestration.local.options import Options
from loanwatch.orchestration.local.secrets import Secrets, passwords_file

__all__ = ["airflow_environment"]


def airflow_environment(
    options: Options, secrets: Secrets, *, folder: Path, metadata: str, data: str, home: Path, redis_url: str | None
) -> dict[str, str]:
    """Return the variables of every process.

    Parameters
    ----------
    options : Options
    secrets : Secrets
    folder : Path
        Airflow's home.
    metadata, data : str
        Conninfo of Airflow's database and of the applications'.
    home : Path
        loanwatch's home.
    redis_url : str or None
        The broker, where the executor needs one.
    """
    variables = {
        **_airflow(options, secrets, folder, metadata),
        **(_celery(metadata, redis_url) if redis_url else {}),
        "DATABASE_URL": _url(data, scheme="postgresql"),
        "LOANWATCH_HOME": str(home),
        # each task is a process of its own, and they run side by side
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    return {**os.environ, **variables}


def _airflow(options: Options, secrets: Secrets, folder: Path, metadata: str) -> Mapping[str, str]:
    address = f"http://127.0.0.1:{options.airflow_port}"
    return {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__EXECUTOR": options.executor_class,
        "AIRFLOW__CORE__DAGS_FOLDER": str(options.dags_folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__FERNET_KEY": secrets.fernet_key,
        "AIRFLOW__CORE__PARALLELISM": str(max(4, os.cpu_count() or 1)),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_file(folder)),
        # a port other than 8080 must be named in all three, or no task finds the server
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__PORT": str(options.airflow_port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secrets.secret_key,
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.jwt_secret,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _url(metadata, scheme="postgresql+psycopg2"),
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",  # its postgres_default names a server nobody has
        # the next task begins when the last ends, and a killed one is noticed in a minute, not in five
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    }


def _celery(metadata: str, redis_url: str) -> Mapping[str, str]:
    return {
        "AIRFLOW__CELERY__BROKER_URL": redis_url,
        "AIRFLOW__CELERY__RESULT_BACKEND": _url(metadata, scheme="db+postgresql"),
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
        # a task that is not handed over in time counts as failed; a second, the default, is short on a busy machine
        "AIRFLOW__CELERY__OPERATION_TIMEOUT": "30",
    }


def _url(conninfo: str, *, scheme: str) -> str:
    """Return a conninfo as a URL; each reader has a name of its own for the scheme."""
    parts = {name: quote(str(value), safe="") for name, value in conninfo_to_dict(conninfo).items()}
    login = parts.get("user", "") + (f":{parts['password']}" if "password" in parts else "")
    port = f":{parts['port']}" if "port" in parts else ""
    return f"{scheme}://{login}{'@' if login else ''}{parts.get('host', '')}{port}/{parts.get('dbname', '')}"
