"""An Airflow of the test run's own: its home, its metadata on an embedded server, a stand-in for Slack."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from loanwatch.database import Database, EmbeddedServer
from loanwatch.simulator import demo_schedule, simulate, write

if find_spec("airflow") is None:  # these tests need Airflow's own environment: make test-airflow
    collect_ignore_glob = ["test_*.py"]

sys.path.insert(0, str(Path(__file__).parent))
from slack_stand_in import SlackStandIn
from support import as_url, connection_variables, new_database

REPOSITORY = Path(__file__).parents[2]
YEAR = (datetime(2015, 1, 1, tzinfo=UTC), datetime(2016, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that other users can reach into: under root the server runs as one.

    It goes, with all that runs in it, when the test run ends: by itself or by `kill -9`.
    """
    path = Path(tempfile.mkdtemp(prefix="loanwatch-airflow-"))
    path.chmod(0o755)
    command = [sys.executable, str(Path(__file__).with_name("janitor.py")), str(path)]
    janitor = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    yield path
    janitor.communicate(timeout=60)


@pytest.fixture(scope="session")
def postgres(folder: Path) -> str:
    """An embedded server for metadata and applications, which ends with the folder."""
    return EmbeddedServer(folder / "postgres", durable=False).start()


@pytest.fixture(scope="session")
def lender(postgres: str) -> str:
    """The name of a database with a simulated year in which every way a run can end comes to pass."""
    database = Database(new_database(postgres, "lender"))
    write(database, simulate(start=YEAR[0], end=YEAR[1], seed=0, events=demo_schedule(YEAR[0])))
    return "lender"


@pytest.fixture
def applications(postgres: str, lender: str) -> Callable[[str], Database]:
    """Make a database with the lender's year under a name."""
    return lambda name: Database(new_database(postgres, name, template=lender))


@pytest.fixture(scope="session")
def airflow_environment(folder: Path, postgres: str) -> Iterator[dict[str, str]]:
    """The variables of an Airflow with empty metadata; set in this process too, before it imports Airflow."""
    metadata = as_url(new_database(postgres, "airflow"), scheme="postgresql+psycopg2")
    variables = {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "LOANWATCH_HOME": str(folder / "home"),
        "OMP_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    before = dict(os.environ)
    os.environ.update(variables)
    subprocess.run(["airflow", "db", "migrate"], check=True, capture_output=True, timeout=300)
    yield {**os.environ}
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def dags(airflow_environment: dict[str, str]) -> dict[str, Any]:
    """The project's DAGs by name."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(REPOSITORY / "dags"))
    assert bag.import_errors == {}
    return dict(bag.dags)


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch, slack: SlackStandIn) -> Callable[[Database], None]:
    """Name a database and the stand-in in Airflow's two connections."""

    def connect(database: Database) -> None:
        for name, value in connection_variables(database, slack).items():
            monkeypatch.setenv(name, value)

    return connect
