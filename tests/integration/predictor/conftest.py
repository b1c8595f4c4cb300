"""A service as a user starts it, on a database of its own with models to deploy."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sklearn.ensemble import HistGradientBoostingClassifier

from loanwatch.contract import default_contract
from loanwatch.database import Database
from loanwatch.features import Preprocessor
from loanwatch.registry import ModelVersion, deploy, online_version, register, save_artifact
from loanwatch.scoring import Calibrator, ScoringModel
from loanwatch.simulator import simulate_features
from loanwatch.storage import Storage
from loanwatch.training import node_covers, to_onnx

NAME = default_contract().name


@pytest.fixture(scope="session")
def models() -> list[ScoringModel]:
    """Two models that do not give the same scores."""
    contract, found = default_contract(), []
    for seed in (1, 2):
        frame = simulate_features(600, seed=seed)
        preprocessor = Preprocessor.fit(frame, contract)
        estimator = HistGradientBoostingClassifier(max_iter=15 * seed, max_leaf_nodes=6, random_state=seed)
        estimator.fit(preprocessor.transform(frame), frame["label"].to_numpy().astype(bool))
        found.append(
            ScoringModel(
                preprocessor=preprocessor,
                calibrator=Calibrator(slope=1.0, intercept=0.1 * seed),
                graph=to_onnx(estimator),
                covers=node_covers(estimator),
            )
        )
    return found


@dataclass
class Lender:
    """A database and a home with registered models."""

    database: Database
    home: Path
    versions: list[ModelVersion] = field(default_factory=list)

    @property
    def storage(self) -> Storage:
        return Storage(self.home / "models")

    def register(self, model: ScoringModel) -> ModelVersion:
        digest = save_artifact(self.storage, NAME, model.to_files())
        with self.database.connect() as connection:
            version = register(connection, name=NAME, run_id=None, digest=digest, metadata={})
        self.versions.append(version)
        return version

    def deploy(self, version: ModelVersion) -> None:
        with self.database.connect() as connection:
            online = online_version(connection, NAME)
            expected = online.id if online else None
            deploy(connection, version, expected_champion_id=expected, reason="test", actor="test")

    def query(self, statement: str) -> list[tuple]:
        with self.database.connect() as connection:
            return connection.execute(statement.encode()).fetchall()

    def spooled(self) -> list[Path]:
        return list((self.home / "spool").glob("*.decisions"))


@pytest.fixture
def lender(database: Database, tmp_path: Path, models: list[ScoringModel]) -> Lender:
    """A lender with two versions, none of them deployed."""
    lender = Lender(database, tmp_path / "home")
    for model in models:
        lender.register(model)
    return lender


@dataclass
class Served:
    """A running `loanwatch serve`."""

    process: subprocess.Popen
    address: str
    log: Path

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=20)

    def predict(self, rows: object, **how: object) -> httpx.Response:
        with self.client as client:
            return client.post("/predict", json=rows, **how)

    def wait_ready(self, seconds: float = 40) -> None:
        def is_ready() -> bool:
            with suppress(httpx.TransportError):
                return httpx.get(f"{self.address}/health/ready", timeout=seconds).status_code == 200
            return False

        wait_until(is_ready, seconds)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start services; all of them are stopped at the end."""
    started: list[Served] = []

    def start(lender: Lender, *arguments: str, conninfo: str | None = None, ready: bool = True) -> Served:
        log = tmp_path / f"serve-{len(started)}.log"
        command = [sys.executable, "-m", "loanwatch", "--home", str(lender.home), "serve", "--port", "0", *arguments]
        environment = {
            **os.environ, "DATABASE_URL": conninfo or url_of(lender.database), "LOANWATCH_LOG_LEVEL": "info",
            "LOANWATCH_LOG_JSON": "true", "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        with log.open("w") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
        line = process.stdout.readline()
        found = re.search(r"http://\S+:\d+", line)
        assert found, f"{line!r}: {log.read_text()}"
        served = Served(process, found[0].replace("0.0.0.0", "127.0.0.1"), log)
        started.append(served)
        if ready:
            served.wait_ready()
        return served

    yield start
    for served in started:
        if served.process.poll() is None:
            served.process.kill()
        served.process.wait()
        served.process.stdout.close()


def url_of(database: Database) -> str:
    parameters = psycopg.conninfo.conninfo_to_dict(database.conninfo)
    return make_conninfo("", **parameters)


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits for what must come, long enough for a machine with other work to do."""
    return wait_until
