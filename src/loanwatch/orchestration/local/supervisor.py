"""Bring Airflow and the services up in order, watch them, and take them down."""

import contextlib
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

import psycopg
from psycopg.conninfo import make_conninfo

from loanwatch.database import Database, EmbeddedServer, migrate, open_database
from loanwatch.errors import LoanwatchError
from loanwatch.orchestration.local.environment import airflow_environment
from loanwatch.orchestration.local.options import Options, free_port
from loanwatch.orchestration.local.processes import Process, adopt_orphans, start, stop
from loanwatch.orchestration.local.secrets import Secrets, load_secrets
from loanwatch.settings import Settings

__all__ = ["Supervisor"]

_METADATA = "airflow"
_HEALTHY_SECONDS = 300  # some 20 on an idle machine
_PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


class Supervisor:
    """One local Airflow: used once.

    Parameters
    ----------
    settings : Settings
    options : Options
    tell : callable
        Called with each line for the person who started it.
    """

    def __init__(self, settings: Settings, options: Options, *, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._options = options
        self._tell = tell
        self._folder = settings.home / "airflow"
        self._logs = self._folder / "process-logs"
        self._server = EmbeddedServer(settings.home / "postgres")
        self._processes: list[Process] = []
        self._stopping = False

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM.

        Raises
        ------
        LoanwatchError
            If something does not come up, or ends by itself; everything is stopped then.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        adopt_orphans()
        self._logs.mkdir(parents=True, exist_ok=True)
        had_run = self._server.status().running
        try:
            self._up()
            self._watch()
        except KeyboardInterrupt:
            pass
        finally:
            self._stopping = True
            self._tell("stopping …")
            if killed := stop(self._processes):
                self._tell(f"had to kill {', '.join(killed)}")
            if not had_run:
                self._server.stop()
            self._tell("stopped")

    def _up(self) -> None:
        began = time.monotonic()
        self._tell("starting PostgreSQL and bringing the schemas up to date …")
        secrets = load_secrets(self._folder)
        environment = self._environment(secrets)
        self._airflow(environment, "db", "migrate")
        self._airflow(environment, "variables", "import", "-a", "skip", str(self._variables()))
        for name, command in self._commands().items():
            self._start(name, command, environment)
        self._wait_until(self._is_healthy, "Airflow")
        self._tell(f"ready after {time.monotonic() - began:.0f} s\n")
        self._tell(
            f"  Airflow    http://127.0.0.1:{self._options.airflow_port}  user admin, password {secrets.password}"
        )
        self._tell(f"  Predictor  http://127.0.0.1:{self._options.predictor_port}/docs")
        self._tell(f"  logs       {self._logs}\n")
        self._tell("The daily DAG is paused: unpause it, or trigger it with dates. Ctrl-C stops everything.")

    def _environment(self, secrets: Secrets) -> dict[str, str]:
        embedded = self._server.start()
        with (
            Database(make_conninfo(embedded, dbname="postgres")).connect(autocommit=True) as connection,
            contextlib.suppress(psycopg.errors.DuplicateDatabase),
        ):
            connection.execute(f"CREATE DATABASE {_METADATA}")
        data = open_database(self._settings)
        migrate(data)
        return airflow_environment(
            self._options,
            secrets,
            folder=self._folder,
            metadata=make_conninfo(embedded, dbname=_METADATA),
            data=data.conninfo,
            home=self._settings.home,
            redis_url=self._broker() if self._options.executor == "celery" else None,
        )

    def _broker(self) -> str:
        if self._options.redis_url:
            return self._options.redis_url
        port = free_port()
        folder = self._folder / "redis"
        folder.mkdir(parents=True, exist_ok=True)
        options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
        self._start("redis", ["redis-server", *options], os.environ)
        return f"redis://127.0.0.1:{port}/0"

    def _commands(self) -> dict[str, list[str]]:
        airflow, loanwatch = [sys.executable, "-m", "airflow"], [sys.executable, "-m", "loanwatch"]
        warm = [sys.executable, "-m", "loanwatch.orchestration.warm"]  # what forks a process for each task
        # logs lie in one folder here: nobody need serve them
        commands = {
            "api-server": [*airflow, "api-server"],
            "scheduler": [*warm, "scheduler", "--skip-serve-logs"],
            "dag-processor": [*airflow, "dag-processor"],
            "triggerer": [*airflow, "triggerer", "--skip-serve-logs"],
            "predictor": [*loanwatch, "serve", "--port", str(self._options.predictor_port)],
        }
        if self._options.executor == "celery":
            for number in range(1, self._options.workers + 1):
                worker = [*warm, "celery", "worker", "--skip-serve-logs", "-H", f"worker-{number}@%h"]
                pid = ["--pid", str(self._folder / f"worker-{number}.pid")]
                commands[f"worker-{number}"] = [*worker, *pid]
        if self._settings.channels:
            commands["dispatcher"] = [*loanwatch, "dispatch"]
        return commands

    def _variables(self) -> Path:
        """Write the variables that the DAGs read, for a first import; what was changed since is kept."""
        path = self._folder / "variables.json"
        path.write_text(json.dumps({"loanwatch_approval": "false"}), encoding="utf-8")
        return path

    def _airflow(self, environment: Mapping[str, str], *arguments: str) -> None:
        process = self._start("-".join(arguments[:2]), [sys.executable, "-m", "airflow", *arguments], environment)
        code = process.child.wait()
        self._processes.remove(process)
        if code:
            raise LoanwatchError(f"airflow {' '.join(arguments[:2])} failed with code {code}: see {process.log}")

    def _start(self, name: str, command: list[str], environment: Mapping[str, str]) -> Process:
        process = start(name, command, environment=environment, logs=self._logs)
        self._processes.append(process)
        return process

    def _is_healthy(self) -> bool:
        try:
            address = f"http://127.0.0.1:{self._options.airflow_port}/api/v2/monitor/health"
            with urllib.request.urlopen(address, timeout=5) as answer:
                health = json.load(answer)
        except (OSError, ValueError):
            return False
        return all(health[part]["status"] == "healthy" for part in _PARTS)

    def _wait_until(self, is_met: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _HEALTHY_SECONDS
        while not is_met():
            self._check()
            if time.monotonic() > deadline:
                raise LoanwatchError(f"{what} is not healthy after {_HEALTHY_SECONDS} s: see {self._logs}")
            time.sleep(0.5)

    def _watch(self) -> None:
        while True:
            self._check()
            time.sleep(1)

    def _check(self) -> None:
        for process in self._processes:
            if process.ended is not None:
                raise LoanwatchError(f"{process.name} ended with code {process.ended}: see {process.log}")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  (signal's signature)
        if not self._stopping:
            self._stopping = True
            raise KeyboardInterrupt
