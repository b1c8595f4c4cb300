"""The stack on a real Docker engine: up from nothing, a run over REST, an answer from the predictor, down again."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if not os.environ.get("LOANWATCH_COMPOSE_TEST"):
    pytest.skip("builds images and needs a Docker engine: make compose-test", allow_module_level=True)

REPOSITORY = Path(__file__).parents[2]
LONG_RUNNING = (
    "postgres", "redis", "airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer",
    "airflow-worker", "predictor", "alert-dispatcher",
)  # fmt: skip
HEALTHY_SECONDS = 240
AIRFLOW, PREDICTOR = "http://127.0.0.1:18081", "http://127.0.0.1:15101"
ENVIRONMENT = {
    **os.environ, "COMPOSE_PROJECT_NAME": "loanwatch-test", "AIRFLOW_PORT": "18081", "PREDICTOR_PORT": "15101",
}  # fmt: skip
DAG_RUNS = "/api/v2/dags/ml_pipeline_monitoring/dagRuns"


def compose(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", "compose", *arguments], cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


def inside(service: str, *command: str) -> str:
    return compose("exec", "-T", service, "/opt/entrypoint.sh", *command)


def call(address: str, path: str, body: Any = None, *, token: str | None = None, method: str | None = None) -> Any:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def seconds_until_healthy() -> Iterator[float]:
    compose("build")
    compose("down", "-v", "-t", "3")
    began = time.monotonic()
    compose("up", "-d", "--wait", "--wait-timeout", str(HEALTHY_SECONDS), *LONG_RUNNING)
    yield time.monotonic() - began
    compose("down", "-v", "-t", "3")


@pytest.fixture(scope="module")
def airflow_token(seconds_until_healthy: float) -> str:
    password = inside("airflow-worker", "cat", "/run/loanwatch/airflow_password")
    return str(call(AIRFLOW, "/auth/token", {"username": "admin", "password": password})["access_token"])


def test_the_stack_is_healthy_in_time(seconds_until_healthy: float) -> None:
    assert seconds_until_healthy < HEALTHY_SECONDS


def test_a_run_over_rest_deploys_a_model_that_the_predictor_serves(airflow_token: str) -> None:
    inside("airflow-worker", "loanwatch", "simulate", "--start", "2015-01-01", "--end", "2015-02-01")
    call(AIRFLOW, "/api/v2/dags/ml_pipeline_monitoring", {"is_paused": False}, token=airflow_token, method="PATCH")
    conf = {"start_date": "2015-01-01", "end_date": "2015-02-01"}
    run = call(AIRFLOW, DAG_RUNS, {"logical_date": None, "conf": conf}, token=airflow_token)["dag_run_id"]
    state, deadline = "queued", time.monotonic() + 300
    while state not in {"success", "failed"} and time.monotonic() < deadline:
        time.sleep(1)
        state = call(AIRFLOW, f"{DAG_RUNS}/{run}", token=airflow_token)["state"]
    assert state == "success"

    made = json.loads(inside("predictor", "loanwatch", "tokens", "create", "compose-test", "--json"))
    token = next(value for key, value in made.items() if key == "token")
    application = [{"loan_id": "a", "term": "short term", "credit_score": 730}]
    (answer,) = call(PREDICTOR, "/predict", application, token=token)
    assert answer["loan_id"] == "a"
    assert answer["prediction"] in {"loan given", "loan refused"}


def inspect(kind: str, name: str) -> Any:
    done = subprocess.run(["docker", kind, "inspect", name], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)[0]


@pytest.mark.parametrize("service", LONG_RUNNING[2:])
def test_a_service_can_write_only_where_it_must(seconds_until_healthy: float, service: str) -> None:
    container = inspect("container", compose("ps", "-q", service).strip())
    host = container["HostConfig"]
    assert (container["Config"]["User"], host["ReadonlyRootfs"], host["CapDrop"]) == ("10001:10001", True, ["ALL"])
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert compose("exec", "-T", service, "id", "-u").strip() == "10001"
    for place in ("/opt", "/etc", "/run/loanwatch"):
        with pytest.raises(AssertionError, match="Read-only file system"):
            compose("exec", "-T", service, "touch", f"{place}/x")


def test_secrets_come_from_files_of_the_user_alone(seconds_until_healthy: float) -> None:
    secret = inside("airflow-worker", "cat", "/run/loanwatch/postgres_password").strip()
    assert len(secret) >= 20
    for service in LONG_RUNNING:
        assert secret not in json.dumps(inspect("container", compose("ps", "-q", service).strip())), service
    assert compose("exec", "-T", "predictor", "stat", "-c", "%a", "/run/loanwatch/postgres_password").strip() == "640"
    for target in ("airflow", "predictor"):
        variables = inspect("image", f"loanwatch-{target}:local")["Config"]["Env"]
        assert not [v for v in variables if any(word in v.upper() for word in ("PASSWORD", "SECRET", "TOKEN", "KEY"))]


@pytest.mark.parametrize(("target", "most_mb"), [("airflow", 900), ("predictor", 500)])
def test_the_images_are_small(seconds_until_healthy: float, target: str, most_mb: int) -> None:
    size = subprocess.run(
        ["docker", "image", "inspect", "-f", "{{.Size}}", f"loanwatch-{target}:local"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(size.stdout) < most_mb * 1_000_000
