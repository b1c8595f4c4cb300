"""A PostgreSQL server of our own: started when it is needed, its data kept in a folder."""

import contextlib
import fcntl
import json
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from loanwatch.database.binaries import Programs, find_programs, reachable_by_others
from loanwatch.database.postmaster import Postmaster, disown, running_postmaster
from loanwatch.errors import DatabaseUnavailableError
from loanwatch.records import record

__all__ = ["EmbeddedServer", "ServerStatus"]

_USER = "postgres"  # not loanwatch: "$user" leads the search_path, and a schema of that name is ours
_DATABASE = "loanwatch"
_START_SECONDS = 60

_SETTINGS = {
    "listen_addresses": "127.0.0.1",  # nobody but this machine
    "unix_socket_directories": "",  # a socket's path may not exceed 107 bytes, folders may
    "shared_buffers": "256MB",  # the three source tables at a million loans, mostly
    "work_mem": "64MB",  # the hash tables of the extraction stay in memory
    "maintenance_work_mem": "128MB",
    "dynamic_shared_memory_type": "mmap",  # a container's /dev/shm is often too small for parallel hash joins
    "wal_level": "minimal",  # nothing replicates; a load into a new table then skips the log
    "max_wal_senders": "0",
    "max_wal_size": "2GB",  # bulk loads should not be cut up by checkpoints
    "checkpoint_timeout": "15min",
    "jit": "off",  # compiling costs more than our queries gain
    "timezone": "UTC",
    "lc_messages": "C",  # the log is read below
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_min_messages": "log",  # a client's errors are told to the client
    "log_min_error_statement": "panic",  # statements may hold applicants' data
}
_THROW_AWAY_SETTINGS = {"fsync": "off", "full_page_writes": "off"}


@record
class ServerStatus:
    """What is known of an embedded server without starting it."""

    running: bool
    port: int | None
    pid: int | None
    data_folder: Path
    log: Path


@record
class _State:
    """What `server.json` keeps between calls; readable by the owner only."""

    port: int
    password: str
    data: str | None = None
    """Absolute path of the data where it could not lie in the server's folder."""


class EmbeddedServer:
    """The server whose data lies in one folder; any number of processes may use it at once.

    Parameters
    ----------
    folder : Path
        Where `server.json` (port, password) and the data lie. Under root, data in a folder that only root can reach
        goes to `/var/lib/loanwatch-<hash of folder>` instead, because PostgreSQL runs as another user.
    durable : bool
        False trades the safety of the data against a crash of the machine for speed; for tests.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.resolve()
        self.durable = durable

    def start(self) -> str:
        """Start the server unless it runs, and return its conninfo.

        Raises
        ------
        DatabaseUnavailableError
            With the last meaningful line of the server's log.
        """
        with self._locked():
            programs = find_programs()
            state = self._read_state() or self._new_state()
            data = self._data_folder(state)
            if not (data / "PG_VERSION").exists():
                self._initialise(programs, data, state)
            port = self._run(programs, data, state)
        return _conninfo(port, state.password)

    def stop(self) -> bool:
        """Stop the server; return whether it was running.

        Raises
        ------
        DatabaseUnavailableError
            If it does not stop.
        """
        if not self.folder.is_dir():
            return False
        with self._locked():
            data = self._data_folder(self._read_state())
            if running_postmaster(data) is None:
                return False
            log = _log_of(data)
            code = find_programs().run("pg_ctl", "-D", data, "-m", "fast", "-w", "-t", _START_SECONDS, "stop", log=log)
            if code:
                raise DatabaseUnavailableError(f"the embedded PostgreSQL does not stop: {_last_words(log)} (see {log})")
            return True

    def status(self) -> ServerStatus:
        """Tell whether the server runs, and where."""
        with _explained(self.folder):
            data = self._data_folder(self._read_state())
            found = running_postmaster(data)
        return ServerStatus(
            running=found is not None,
            port=found.port if found else None,
            pid=found.pid if found else None,
            data_folder=data,
            log=_log_of(data),
        )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with _explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "lock").open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield

    def _data_folder(self, state: _State | None) -> Path:
        return Path(state.data) if state and state.data else self.folder / "data"

    def _state_file(self) -> Path:
        return self.folder / "server.json"

    def _read_state(self) -> _State | None:
        path = self._state_file()
        try:
            return _State(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise DatabaseUnavailableError(
                f"{path} is damaged: restore it, or move {self.folder} away to start with an empty database"
            ) from error

    def _new_state(self) -> _State:
        programs, inside = find_programs(), self.folder / "data"
        if (inside / "PG_VERSION").exists():
            raise DatabaseUnavailableError(
                f"{self._state_file()} with the password of {inside} is gone: "
                f"restore it, or move {self.folder} away to start with an empty database"
            )
        elsewhere = None
        if programs.account and not reachable_by_others(self.folder):
            # a name of its own each time: a folder that was removed leaves data whose password is gone
            name = f"{sha256(str(self.folder).encode()).hexdigest()[:12]}-{secrets.token_hex(4)}"
            elsewhere = str(Path("/var/lib") / f"loanwatch-{name}" / "data")
        state = _State(port=_free_port(), password=secrets.token_urlsafe(24), data=elsewhere)
        self._write_state(state)
        return state

    def _write_state(self, state: _State) -> None:
        draft = self.folder / ".server.json.new"
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(state)), encoding="utf-8")
        draft.replace(self._state_file())

    def _initialise(self, programs: Programs, data: Path, state: _State) -> None:
        """Create the cluster beside its place, so that a killed start leaves nothing half-made in it."""
        if data.parent != self.folder:
            data.parent.mkdir(exist_ok=True)
            data.parent.chmod(0o755)  # whatever the umask: the server's user must get through
        draft, password = data.with_name("data.new"), data.with_name("password.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        log = data.with_name("initdb.log")
        log.unlink(missing_ok=True)
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(state.password, encoding="utf-8")
        if programs.account:
            programs.account.own(draft)
            programs.account.own(password)
        try:
            code = programs.run(
                "initdb", "-D", draft, "-U", _USER, "--pwfile", password, "--auth=scram-sha-256", "--encoding=UTF8",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions",
                *([] if self.durable else ["--no-sync"]), log=log,
            )  # fmt: skip
        finally:
            password.unlink()
        if code:
            shutil.rmtree(draft, ignore_errors=True)
            raise DatabaseUnavailableError(f"PostgreSQL cannot be set up in {data}: {_last_words(log)} (see {log})")
        draft.rename(data)

    def _run(self, programs: Programs, data: Path, state: _State) -> int:
        """Bring the server up and return its port.

        It takes several tries when orphans of a killed server still hold its shared memory, or when a port is taken
        between choosing and using it.
        """
        deadline = time.monotonic() + _START_SECONDS
        log = _log_of(data)
        while True:
            written = log.stat().st_size if log.exists() else 0
            found = running_postmaster(data)
            if found is None:
                disown(data)
                if not _is_free(state.port):
                    state = replace(state, port=_free_port())
                    self._write_state(state)
                self._launch(programs, data, state.port, log)
                found = running_postmaster(data)
            if found and self._answers(found, data, state.password):
                return found.port
            reason = _last_words(log, written)
            if time.monotonic() > deadline or (found is None and _is_permanent(reason)):
                raise DatabaseUnavailableError(f"the embedded PostgreSQL does not start: {reason} (see {log})")
            time.sleep(0.3)

    def _launch(self, programs: Programs, data: Path, port: int, log: Path) -> None:
        settings = {**_SETTINGS, **({} if self.durable else _THROW_AWAY_SETTINGS), "port": str(port)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        if not log.exists():
            log.touch(mode=0o600)
        programs.run("pg_ctl", "-D", data, "-w", "-t", _START_SECONDS, "-o", options, "start", log=log)

    def _answers(self, found: Postmaster, data: Path, password: str) -> bool:
        """Tell whether the server on the port is ours and takes connections; make its database where it is new."""
        address = _conninfo(found.port, password, database="postgres")
        try:
            with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
                (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
                if Path(folder).resolve() != data.resolve():
                    return False
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone()
                if not known:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))
        except psycopg.OperationalError:
            return False
        return True


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        path = error.filename or folder
        raise DatabaseUnavailableError(
            f"the embedded PostgreSQL cannot use {path}: {error.strerror or error}; "
            "set LOANWATCH_HOME to a folder that you may write, or DATABASE_URL to a server"
        ) from error


def _conninfo(port: int, password: str, *, database: str = _DATABASE) -> str:
    return make_conninfo(
        host="127.0.0.1", port=port, user=_USER, password=password, dbname=database, sslmode="disable"
    )  # fmt: skip


def _log_of(data: Path) -> Path:
    return data.with_name("server.log")


def _is_permanent(reason: str) -> bool:
    transient = ("shared memory block is still in use", "Address already in use", "could not bind", "lock file")
    return not any(words in reason for words in transient)


def _last_words(log: Path, start: int = 0) -> str:
    """Return the last error in a log after a byte offset, without its time; else its last line."""
    if not log.exists():
        return "it left no log"
    with log.open("rb") as file:
        file.seek(start)
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    errors = [m.group(1) for line in lines if (m := re.search(r"(?:FATAL|PANIC|error|ERROR):\s+(.*)", line))]
    return next(reversed(errors or lines), "it says nothing")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
