"""What Airflow costs over the command line: the same windows of the same applications both ways, one after the other.

    .venv-airflow/bin/python benchmarks/orchestration.py [--rows 22000] [--executor local]

Each way has a home and an embedded database of its own. The first window trains two candidates and deploys one, the
second is judged by the deployed model. Over Airflow a run lasts from the request that triggers it to the state
`success`; on the command line from the start of the process to its end.
"""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
WINDOWS = [("2015-01-01", "2015-02-01"), ("2015-02-01", "2015-03-01")]
DAG = "/api/v2/dags/ml_pipeline_monitoring"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def loanwatch(home, *arguments):
    command = [sys.executable, "-m", "loanwatch", "--home", str(home), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout


def lender(home, rows):
    """Make a home with two months of applications."""
    loanwatch(home, "simulate", "--start", WINDOWS[0][0], "--end", WINDOWS[-1][1], "--per-month", str(rows))


def by_command(home):
    seconds = []
    for start, end in WINDOWS:
        began = time.monotonic()
        loanwatch(home, "run", "--start", start, "--end", end)
        seconds.append(time.monotonic() - began)
    return seconds


class Airflow:
    """What `make airflow` starts, as a context."""

    def __init__(self, home, executor):
        self.port, predictor = free_ports(2)
        environment = {
            **ENVIRONMENT, "LOANWATCH_HOME": str(home), "EXECUTOR": executor, "AIRFLOW_PORT": str(self.port),
            "PREDICTOR_PORT": str(predictor),
        }  # fmt: skip
        command = [sys.executable, "-m", "loanwatch.orchestration.local"]
        self.process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True)
        self.token = None

    def __enter__(self):
        for line in self.process.stdout:
            if found := re.search(r"password (\S+)", line):
                login = {"username": "admin", "password": found[1]}
                self.token = self.call("POST", "/auth/token", login)["access_token"]
                return self
        raise SystemExit("Airflow did not come up")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(120)

    def call(self, method, path, body=None):
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        address = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(address, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def unpause(self):
        """Switch the DAG on, and let the daily run of yesterday end: only one goes at a time."""
        for _ in range(120):
            time.sleep(1)
            try:
                self.call("PATCH", DAG, {"is_paused": False})
                runs = self.call("GET", f"{DAG}/dagRuns")["dag_runs"]
            except OSError:  # the file is not parsed yet
                continue
            if runs and all(run["state"] in {"success", "failed"} for run in runs):
                return
        raise SystemExit("the DAG was not parsed, or yesterday's run does not end")

    def run(self, start, end):
        """Return the seconds of a run, and its tasks."""
        began = time.monotonic()
        conf = {"start_date": start, "end_date": end}
        run = self.call("POST", f"{DAG}/dagRuns", {"logical_date": None, "conf": conf})["dag_run_id"]
        while (state := self.call("GET", f"{DAG}/dagRuns/{run}")["state"]) not in {"success", "failed"}:
            time.sleep(0.2)
        seconds = time.monotonic() - began
        tasks = self.call("GET", f"{DAG}/dagRuns/{run}/taskInstances?limit=100")["task_instances"]
        if state != "success":
            raise SystemExit(f"the run failed: {[(task['task_id'], task['state']) for task in tasks]}")
        return seconds, [task for task in tasks if task["state"] == "success" and task["duration"]]


def free_ports(count):
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=22_000)
    parser.add_argument("--executor", choices=["local", "celery"], default="local")
    parser.add_argument("--tasks", action="store_true", help="print how long each task waited in the queue and took")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="loanwatch-orchestration-") as folder:
        Path(folder).chmod(0o755)  # under root the database runs as another user
        commanded, orchestrated = Path(folder) / "command", Path(folder) / "airflow"
        for home in (commanded, orchestrated):
            lender(home, chosen.rows)
        plain = by_command(commanded)
        loanwatch(commanded, "db", "stop")
        try:
            with Airflow(orchestrated, chosen.executor) as airflow:
                airflow.unpause()
                through = [airflow.run(*window) for window in WINDOWS]
        finally:
            loanwatch(orchestrated, "db", "stop")
    for name, command, (seconds, tasks) in zip(("trains, deploys", "is judged"), plain, through, strict=True):
        print(
            f"{chosen.rows:,} applications, a window that {name}: command line {command:.1f} s, "
            f"Airflow ({chosen.executor}) {seconds:.1f} s, overhead {seconds - command:.1f} s"
        )
        if chosen.tasks:
            for task in sorted(tasks, key=lambda task: task["start_date"]):
                queued, start, end = (
                    datetime.fromisoformat(task[moment]) for moment in ("queued_when", "start_date", "end_date")
                )
                print(f"  {task['task_id']:16} {queued:%M:%S.%f} {start - queued} {end - start}")


if __name__ == "__main__":
    main()
