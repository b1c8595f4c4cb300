import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from loanwatch.errors import SettingsError
from loanwatch.orchestration.local.environment import airflow_environment
from loanwatch.orchestration.local.options import Options, free_port
from loanwatch.orchestration.local.processes import start, stop
from loanwatch.orchestration.local.secrets import load_secrets, passwords_file


def options(**variables: str) -> Options:
    free = {"AIRFLOW_PORT": str(free_port()), "PREDICTOR_PORT": str(free_port())}
    return Options.from_environment({**free, **variables}, dags_folder=Path("dags"))


@pytest.mark.parametrize("executor", ["local", "LocalExecutor", "LOCAL"])
def test_the_executor_may_be_written_in_either_way(executor: str) -> None:
    assert options(EXECUTOR=executor).executor_class == "LocalExecutor"


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"EXECUTOR": "dask"}, "variable EXECUTOR: expected local or celery"),
        ({"AIRFLOW_PORT": "http"}, "variable AIRFLOW_PORT: expected a whole number"),
        ({"PREDICTOR_PORT": "70000"}, "variable PREDICTOR_PORT"),
        ({"WORKERS": "0"}, "variable WORKERS"),
    ],
)
def test_a_choice_of_no_use_is_refused_by_name(variables: dict[str, str], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        options(**variables)


def test_a_port_that_is_taken_is_named_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} is taken"):
            options(AIRFLOW_PORT=str(port))


def test_celery_without_redis_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SettingsError, match="install redis-server"):
        options(EXECUTOR="celery")
    assert options(EXECUTOR="celery", REDIS_URL="redis://elsewhere").redis_url == "redis://elsewhere"


def test_secrets_are_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    first = load_secrets(tmp_path / "airflow")
    assert load_secrets(tmp_path / "airflow") == first
    assert json.loads(passwords_file(tmp_path / "airflow").read_text()) == {"admin": first.password}
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "airflow").iterdir()} == {0o600}


def test_a_port_of_ones_own_is_named_wherever_airflow_looks_for_it(tmp_path: Path) -> None:
    chosen = options()
    variables = airflow_environment(
        chosen, load_secrets(tmp_path), folder=tmp_path, home=tmp_path, redis_url=None,
        metadata="host=127.0.0.1 port=1 user=u password='p@ /' dbname=airflow", data="postgresql://h/loans",
    )  # fmt: skip
    port = chosen.airflow_port
    assert variables["AIRFLOW__API__PORT"] == str(port)
    assert variables["AIRFLOW__API__BASE_URL"] == f"http://127.0.0.1:{port}"
    assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"http://127.0.0.1:{port}/execution/"
    assert variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://u:p%40%20%2F@127.0.0.1:1/airflow"
    assert "AIRFLOW__CELERY__BROKER_URL" not in variables


def test_what_a_process_started_ends_with_it(tmp_path: Path) -> None:
    parent = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).wait()"
    process = start("parent", [sys.executable, "-c", parent], environment=os.environ, logs=tmp_path)
    group = process.child.pid
    assert stop([process]) == []
    listed = subprocess.run(["ps", "-o", "pid=", "-s", str(group)], capture_output=True, text=True, check=False)
    assert listed.stdout.strip() == ""
