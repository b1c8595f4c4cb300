import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loanwatch.database import Database, EmbeddedServer
from loanwatch.errors import DatabaseUnavailableError

START = (
    "import sys; from pathlib import Path; from loanwatch.database import EmbeddedServer; "
    "print(EmbeddedServer(Path(sys.argv[1]), durable=False).start())"
)


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: root's is closed to the user that the server runs as.
    path = Path(tempfile.mkdtemp(prefix="loanwatch-test-"))
    path.chmod(0o755)
    yield path / "postgres"
    EmbeddedServer(path / "postgres").stop()
    shutil.rmtree(path)


@pytest.fixture
def embedded(folder: Path) -> EmbeddedServer:
    return EmbeddedServer(folder, durable=False)


def remember(conninfo: str) -> None:
    with Database(conninfo).connect() as connection:
        connection.execute("CREATE TABLE kept (x int)")


def remembers(conninfo: str) -> bool:
    with Database(conninfo).connect() as connection:
        return connection.execute("SELECT to_regclass('public.kept') IS NOT NULL").fetchone() == (True,)


def test_a_server_keeps_port_and_data_between_starts(embedded):
    first = embedded.start()
    remember(first)
    assert embedded.start() == first
    assert embedded.status().running
    assert embedded.stop()
    assert not embedded.status().running
    assert not embedded.stop()
    assert embedded.start() == first
    assert remembers(first)


def test_a_folder_without_a_server_is_told_apart(folder):
    assert not EmbeddedServer(folder).status().running
    assert not EmbeddedServer(folder).stop()
    assert not folder.exists()


def test_a_killed_server_comes_back_with_its_data(embedded):
    conninfo = embedded.start()
    remember(conninfo)
    pid = embedded.status().pid
    with Database(conninfo).connect():
        os.kill(pid, signal.SIGKILL)
        assert remembers(embedded.start())
    assert embedded.status().pid != pid


def test_a_stale_pid_file_that_names_a_living_stranger_is_seen_through(embedded):
    conninfo = embedded.start()
    remember(conninfo)
    data, pid_file = embedded.status().data_folder, embedded.status().data_folder / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    embedded.stop()
    owner = data.stat()
    user = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], **user) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        assert not embedded.status().running
        assert remembers(embedded.start())
        assert stranger.poll() is None
        stranger.kill()


def test_an_empty_pid_file_is_seen_through(embedded):
    embedded.start()
    data = embedded.status().data_folder
    embedded.stop()
    (data / "postmaster.pid").touch()
    assert embedded.start()


def test_another_port_is_taken_where_the_old_one_is_somebody_elses(embedded):
    conninfo = embedded.start()
    remember(conninfo)
    port = embedded.status().port
    embedded.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        second = embedded.start()
        assert embedded.status().port != port
        assert remembers(second)


def test_two_starters_at_once_share_one_server(folder):
    command = [sys.executable, "-c", START, str(folder)]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {starter.communicate()[0].strip() for starter in starters}
    assert len(answers) == 1
    Database(answers.pop()).check()


def test_a_setup_that_was_interrupted_is_done_again(embedded, folder):
    (folder / "data.new").mkdir(parents=True)
    (folder / "data.new" / "PG_VERSION").write_text("18")
    Database(embedded.start()).check()


def test_the_password_is_asked_for_and_hidden(embedded, folder):
    conninfo = embedded.start()
    password = json.loads((folder / "server.json").read_text())["password"]
    assert (folder / "server.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(Exception, match="does not let us in: password authentication failed") as error:
        Database(conninfo.replace(password, "wrong")).connect()
    assert "wrong" not in str(error.value)
    assert password not in repr(Database(conninfo))


def test_only_this_machine_is_listened_to(embedded):
    with Database(embedded.start()).connect() as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)


def test_a_lost_password_is_told(embedded, folder):
    embedded.start()
    embedded.stop()
    if embedded.status().data_folder.parent == folder:
        (folder / "server.json").unlink()
        with pytest.raises(DatabaseUnavailableError, match=r"server.json .* is gone: restore it"):
            embedded.start()


def test_damaged_data_are_told_with_the_servers_own_words(embedded):
    embedded.start()
    data = embedded.status().data_folder
    embedded.stop()
    (data / "global" / "pg_control").unlink()
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailableError, match=r"could not (find|open)"):
        embedded.start()
    assert time.monotonic() - began < 30


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailableError, match="set LOANWATCH_HOME"):
        EmbeddedServer(tmp_path / "file" / "postgres").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_runs_a_server_too():
    nobody = pwd.getpwnam("nobody")
    home = Path(tempfile.mkdtemp(prefix="loanwatch-test-"))
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    # The change of user comes after the imports: it may not be able to read root's Python.
    become = f"import os; os.setgroups([]); os.setgid({nobody.pw_gid}); os.setuid({nobody.pw_uid}); os.chdir('/'); "
    script = START.replace("print(", become + "print(") + "; print(EmbeddedServer(Path(sys.argv[1])).stop())"
    command = [sys.executable, "-c", script, str(home / "postgres")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    shutil.rmtree(home)
    assert done.returncode == 0, done.stderr
    assert "host=127.0.0.1" in done.stdout
    assert done.stdout.endswith("True\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's data need to lie elsewhere")
def test_data_under_a_closed_folder_of_root_lie_where_the_server_can_reach_them(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    embedded = EmbeddedServer(closed / "postgres", durable=False)
    try:
        Database(embedded.start()).check()
        data = embedded.status().data_folder
        assert data.is_relative_to("/var/lib")
        assert EmbeddedServer(closed / "postgres").status().data_folder == data
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        embedded.stop()
        shutil.rmtree(embedded.status().data_folder.parent)
