"""Run the service: one process, or several that share a socket under a parent that replaces those that die."""

import logging
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from loanwatch.contract import Contract
from loanwatch.database import Database, migrate, open_database
from loanwatch.errors import DatabaseUnavailableError, shorten
from loanwatch.logging import configure_logging, get_logger
from loanwatch.predictor.access import Gate
from loanwatch.predictor.app import inner_app
from loanwatch.predictor.known import LastKnown
from loanwatch.predictor.metrics import Metrics
from loanwatch.predictor.options import SPOOL, ServeOptions
from loanwatch.predictor.requests import RequestReader
from loanwatch.predictor.scorer import Scorer
from loanwatch.predictor.service import Service
from loanwatch.predictor.shipper import Shipper
from loanwatch.predictor.spool import Spool
from loanwatch.predictor.watch import Watcher
from loanwatch.settings import Settings
from loanwatch.storage import open_storage
from loanwatch.web.body import BodyLimits
from loanwatch.web.listening import listen
from loanwatch.web.protocol import protocol_class
from loanwatch.web.rate_limit import RateLimiter

__all__ = ["create_service", "serve"]

_BACKLOG = 2048
_RESTART_PAUSE_SECONDS = 0.5
_SILENCE = {
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}


class _OurLog(logging.Handler):
    """Takes over what uvicorn has to say, so that every line of the log has one form."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        get_logger("uvicorn").error(record.getMessage(), exc_info=record.exc_info)


def serve(settings: Settings, *, ready: Callable[[str], None], **options: Any) -> None:  # noqa: ANN401  (ServeOptions' fields)
    """Serve until SIGINT or SIGTERM, then answer what was asked, write what was decided, and return.

    Parameters
    ----------
    ready : callable
        Called with the address once connections are accepted.
    options : fields of ServeOptions
        Beside `settings`, `conninfo` and `folder`.

    Raises
    ------
    DatabaseError
        If the database cannot be brought up to date, or cannot be reached and never was.
    LoanwatchError
        If the address cannot be listened on.
    """
    database = _database(settings)
    folder = Path(tempfile.mkdtemp(prefix="loanwatch-predictor-"))
    try:
        chosen = ServeOptions(settings=settings, conninfo=database.conninfo, folder=folder, **options)
        with listen(chosen.host, chosen.port) as listener:
            listener.listen(_BACKLOG)
            listener.set_inheritable(True)
            host, port = listener.getsockname()[:2]
            ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
            if chosen.workers == 1:
                _run_worker(chosen, 0, listener)
            else:
                _Parent(chosen, listener).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _database(settings: Settings) -> Database:
    """Return the database, brought up to date; as it is named if it is away and a service ran here before."""
    try:
        database = open_database(settings)
        migrate(database)
    except DatabaseUnavailableError as error:
        if _last_known(settings).recall() is None:
            raise
        get_logger("server").warning("the database is away", reason=shorten(error, 200))
        database = open_database(settings, must_answer=False)
    return database


def _last_known(settings: Settings) -> LastKnown:
    return LastKnown(settings.home / SPOOL, model=settings.contract().name)


def create_service(options: ServeOptions, *, worker: int = 0) -> Service:
    """Put one worker's service together; it begins to work at the server's start-up."""
    contract: Contract = options.settings.contract()
    database = Database(_impatient(options.conninfo))
    metrics = Metrics(options.folder / "counts", worker=worker, contract=contract)

    def swapped(scorer: Scorer | None, *, failed: bool = False) -> None:
        metrics.add("failed_swaps" if failed else "swaps")
        metrics.set("model_version", scorer.version.version if scorer else 0)

    def shipped(written: int, refused: int) -> None:
        metrics.add("written", by=written)
        metrics.add("refused", by=refused)
        metrics.set("spool_bytes", spool.untaken)

    watcher = Watcher(
        database,
        open_storage(options.settings, "models"),
        contract,
        told=swapped,
        last_known=_last_known(options.settings),
    )
    spool = Spool(options.spool_folder)
    inner = inner_app(
        contract, watcher=watcher, spool=spool, metrics=metrics, max_rows=options.max_rows, tokens=options.tokens
    )
    return Service(
        inner=inner,
        reader=RequestReader(contract, max_rows=options.max_rows),
        limits=BodyLimits(max_bytes=options.max_body_bytes, timeout_seconds=options.body_timeout_seconds),
        watcher=watcher,
        spool=spool,
        shipper=Shipper(spool, database, told=shipped),
        metrics=metrics,
        gate=Gate(
            tokens=options.tokens,
            requests_per_minute=options.requests_per_minute,
            limiter=RateLimiter(options.folder / "rates"),
        ),
    )


def _impatient(conninfo: str) -> str:
    """Have a connection whose other end fell silent fail in seconds, where nobody asked for anything else."""
    return make_conninfo(conninfo, **{k: v for k, v in _SILENCE.items() if k not in conninfo_to_dict(conninfo)})


def _run_worker(options: ServeOptions, worker: int, listener: socket.socket) -> None:
    """Serve in this process."""
    talk = logging.getLogger("uvicorn.error")
    talk.handlers, talk.propagate = [_OurLog(level=logging.ERROR)], False
    config = uvicorn.Config(
        create_service(options, worker=worker),
        http=protocol_class(header_timeout_seconds=options.header_timeout_seconds),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=int(options.stop_timeout_seconds),
        backlog=_BACKLOG,
    )
    server = uvicorn.Server(config)

    def end(_number: int, _frame: FrameType | None) -> None:
        # uvicorn calls this when it is done; by default the signal would then end the process as if it had failed.
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    server.run(sockets=[listener])


def _worker_process(options: ServeOptions, worker: int, listener: socket.socket, parent: int) -> None:
    settings = options.settings
    configure_logging(level=settings.log_level, as_json=settings.log_json)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _run_worker(options, worker, listener)


def _end_with(parent: int) -> None:
    """Stop this worker when its parent is gone, which a killed parent cannot ask for."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)


class _Parent:
    """Starts the workers, replaces those that die, and stops them all."""

    def __init__(self, options: ServeOptions, listener: socket.socket) -> None:
        self.options = options
        self.listener = listener
        self._stop = threading.Event()
        self._log = get_logger("server")

    def run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._asked_to_stop)
        workers = [self._started(worker) for worker in range(self.options.workers)]
        while not self._stop.wait(_RESTART_PAUSE_SECONDS):
            for worker, process in enumerate(workers):
                if not process.is_alive():
                    self._log.error("worker died and is replaced", worker=worker, exit_code=process.exitcode)
                    workers[worker] = self._started(worker)
        for process in workers:
            process.terminate()
        for process in workers:
            process.join(self.options.stop_timeout_seconds + 15)
            if process.is_alive():
                process.kill()

    def _started(self, worker: int) -> SpawnProcess:
        context = multiprocessing.get_context("spawn")
        process = context.Process(
            target=_worker_process, args=(self.options, worker, self.listener, os.getpid()), name=f"predictor-{worker}"
        )
        process.start()
        return process

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()
