import os
import shutil
import tempfile
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from loanwatch.database import Database, EmbeddedServer, explained, open_database
from loanwatch.errors import DatabaseError, DatabaseUnavailableError, SourceError
from loanwatch.settings import Settings


@pytest.fixture(autouse=True)
def _no_database_named(monkeypatch):
    for name in [name for name in os.environ if name.startswith("PG") or "DATABASE_URL" in name]:
        monkeypatch.delenv(name)


def parts(database: Database) -> dict[str, str]:
    return {key: str(value) for key, value in conninfo_to_dict(database.conninfo).items()}


def test_libpqs_variables_work_for_psycopg_and_adbc(database, monkeypatch):
    given = parts(database)
    variables = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
    for variable, key in variables.items():
        monkeypatch.setenv(variable, given[key])
    opened = open_database(Settings())
    with opened.connect() as connection:
        assert connection.info.dbname == given["dbname"]
    with opened.adbc() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_database()::text")
        assert cursor.fetchone() == (given["dbname"],)
    assert f"port {given['port']}, database {given['dbname']}" in opened.address


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_a_url_may_be_sqlalchemys(database, scheme):
    given = parts(database)
    url = f"{scheme}://{given['user']}:{given['password']}@127.0.0.1:{given['port']}/{given['dbname']}"
    open_database(Settings(database_url=url)).check()


@pytest.mark.parametrize("client", ["psycopg", "adbc"])
@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"password": "tell-nobody"}, DatabaseError, "password authentication failed"),
        ({"dbname": "nowhere"}, DatabaseError, 'database "nowhere" does not exist'),
        ({"port": "1"}, DatabaseUnavailableError, "Connection refused"),
        ({"host": "no.such.host.invalid"}, DatabaseUnavailableError, "host no.such.host.invalid"),
        ({"sslmode": "require"}, DatabaseError, "does not support SSL"),
    ],
)
def test_a_refused_connection_is_explained_in_a_line(database, changes, kind, words, client):
    refused = Database(make_conninfo(database.conninfo, **changes))
    connect = refused.connect if client == "psycopg" else refused.adbc().__enter__
    with pytest.raises(kind, match=words) as error:
        connect()
    message = str(error.value)
    assert "\n" not in message
    assert f"port {parts(refused)['port']}, database {parts(refused)['dbname']}, user postgres" in message
    assert "tell-nobody" not in message
    assert parts(database)["password"] not in message


def test_a_url_that_cannot_be_read_does_not_show_the_password():
    with pytest.raises(DatabaseError, match="DATABASE_URL cannot be read") as error:
        Database("host=x password=tell-nobody oops").check()
    assert "tell-nobody" not in str(error.value)


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("SELECT 1 FROM nothing_here", SourceError, "nothing_here"),
        ("SELECT nothing_here FROM pg_class", SourceError, "nothing_here"),
        ("SELECT 1 FROM loanwatch.nothing_here", DatabaseError, "loanwatch db migrate"),
        ("SELECT 'a'::numeric", SourceError, "invalid input syntax for type numeric: \"a\""),
        ("SELECT pg_terminate_backend(pg_backend_pid())", DatabaseUnavailableError, "gave up"),
        ("SELEC", DatabaseError, "syntax error"),
    ],
)  # fmt: skip
def test_a_refused_statement_is_explained_in_a_line(database, statement, kind, words):
    with pytest.raises(kind, match=words) as error, explained("looking"), database.connect() as connection:
        connection.execute(statement)
    assert str(error.value).startswith("looking: ")
    assert "\n" not in str(error.value)


def test_a_table_that_may_not_be_read_is_named(database):
    statement = (
        "CREATE ROLE stranger_to_all; CREATE TABLE closed (x int); SET ROLE stranger_to_all; SELECT * FROM closed"
    )
    with (
        pytest.raises(SourceError, match="permission denied for table closed"),
        explained(),
        database.connect() as connection,
    ):
        connection.execute(statement.encode())


def test_other_errors_pass_unchanged():
    with pytest.raises(ZeroDivisionError), explained():
        1 / 0  # noqa: B018


def test_without_a_named_database_the_embedded_one_is_started(monkeypatch):
    home = Path(tempfile.mkdtemp(prefix="loanwatch-test-"))
    home.chmod(0o755)
    try:
        opened = open_database(Settings(home=home))
        opened.check()
        assert "host 127.0.0.1" in opened.address
    finally:
        EmbeddedServer(home / "postgres").stop()
        shutil.rmtree(home)
