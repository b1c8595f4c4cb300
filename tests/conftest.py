"""What every test may use: a PostgreSQL of the test run's own, and a fresh database on it."""

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from loanwatch.database import Database, EmbeddedServer, migrate

# Waits for its standard input to end, which it does however pytest dies, and then cleans up.
_WATCHDOG = """
import shutil, sys
from pathlib import Path
from loanwatch.database import EmbeddedServer
sys.stdin.read()
folder = Path(sys.argv[1])
if folder.exists():
    EmbeddedServer(folder / "postgres", durable=False).stop()
    shutil.rmtree(folder, ignore_errors=True)
"""


@dataclass(frozen=True)
class TestServer:
    """An embedded server for this process, with a migrated template to copy databases from."""

    __test__ = False

    conninfo: str
    template: str

    def new_database(self) -> tuple[str, Database]:
        """Make a migrated database without rows; return its name too."""
        name = f"test_{uuid.uuid4().hex}"
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(self.template))
        )
        return name, Database(make_conninfo(self.conninfo, dbname=name))

    def drop_database(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with Database(make_conninfo(self.conninfo, dbname="postgres")).connect(autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def server() -> Iterator[TestServer]:
    """One server for each pytest process; gone afterwards even if the process is killed."""
    # Not pytest's own temporary folder: root's is closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="loanwatch-test-"))
    folder.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-c", _WATCHDOG, str(folder)], stdin=subprocess.PIPE, start_new_session=True
    ):
        embedded = EmbeddedServer(folder / "postgres", durable=False)
        conninfo = embedded.start()
        migrate(Database(conninfo))
        yield TestServer(conninfo, "loanwatch")
        embedded.stop()
        shutil.rmtree(folder)


@pytest.fixture
def database(server: TestServer) -> Iterator[Database]:
    """A fresh, migrated database."""
    name, database = server.new_database()
    yield database
    server.drop_database(name)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data, which is not part of the project."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("LOANWATCH_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}: name its folder in LOANWATCH_TEST_DATA")
    return folder
