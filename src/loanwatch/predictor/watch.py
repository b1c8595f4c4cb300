"""Which model is online, and which tokens are valid: told by the database, asked again every second."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from psycopg.rows import TupleRow

from loanwatch.contract import Contract
from loanwatch.database import Database
from loanwatch.errors import ArtifactError, DatabaseError, LoanwatchError, shorten
from loanwatch.logging import get_logger
from loanwatch.predictor.alarm import Alarm
from loanwatch.predictor.explanation import Explainer
from loanwatch.predictor.known import LastKnown
from loanwatch.predictor.scorer import Scorer
from loanwatch.predictor.tokens import CHANNEL, Token, TokenBook, list_tokens
from loanwatch.registry import ModelVersion, hold_deployments, load_artifact, online_version
from loanwatch.scoring import ScoringModel
from loanwatch.storage import Storage

__all__ = ["Watcher", "load_scorer"]

_POLL_SECONDS = 1.0
_TRY_AGAIN_SECONDS = 30.0
_STATEMENT_SECONDS = 10
_UNUSABLE = (LoanwatchError, ValueError, OSError, ArithmeticError, LookupError, TypeError)
"""What files that are no model can raise."""


def load_scorer(storage: Storage, version: ModelVersion, contract: Contract) -> Scorer:
    """Read a registered model, its files checked against their digest, and score one empty application with it.

    Raises
    ------
    ArtifactError
        If a file is missing or is not the one that was registered, or the model cannot score this contract's
        applications.
    """
    if version.digest is None:
        raise ArtifactError(f"{version.title} was registered without files and cannot score: deploy another version")
    model = ScoringModel.from_files(load_artifact(storage, version.name, version.digest))
    scorer = Scorer(version=version, contract=contract, model=model)
    scorer.score([{}])
    if model.covers is None:
        return scorer
    return replace(scorer, explainer=Explainer.of(model, contract))


class Watcher:
    """Keeps the scorer and the tokens of one worker up to date, in a thread of its own.

    `scorer` and `tokens` are replaced, never changed: who has taken one keeps it for the whole request. While the
    database is away, what was known last stays in force.

    Parameters
    ----------
    told : callable
        Called with the new scorer, or None, after each change; with `failed=True` where a model cannot be used.
    last_known : LastKnown, optional
        What to begin with while the database is away or the deployed model cannot be used.
    """

    def __init__(
        self,
        database: Database,
        storage: Storage,
        contract: Contract,
        *,
        told: Callable[..., None] | None = None,
        last_known: LastKnown | None = None,
    ) -> None:
        self.database = database
        self.storage = storage
        self.contract = contract
        self.scorer: Scorer | None = None
        self.tokens: TokenBook | None = None
        self.reason = "the service has not asked the database yet"
        """Why there is no scorer."""
        self.asked = threading.Event()
        """Set once the database has been asked, whatever came of it."""
        self._told = told or (lambda _scorer, **_: None)
        self._alarm = Alarm(contract)
        self._last_known = last_known
        self._failed: tuple[int, str | None] | None = None
        self._failed_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._log = get_logger("watcher")

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(timeout=3 * _POLL_SECONDS)

    def _run(self) -> None:
        is_away = False
        while not self._stop.is_set():
            try:
                with self.database.connect(autocommit=True) as connection:
                    connection.execute(f"SET statement_timeout = '{_STATEMENT_SECONDS}s'".encode())
                    for channel in ("loanwatch_deployment", CHANNEL):
                        connection.execute(f"LISTEN {channel}".encode())
                    is_away = False
                    self._follow(connection)
            except (psycopg.Error, DatabaseError) as error:
                if not is_away:
                    self._log.warning("the database is away", reason=shorten(error, 200))
                if self.scorer is None:
                    self.reason = "the database cannot be reached"
                    if not is_away:
                        self._recall()
                is_away = True
                self.asked.set()
                self._stop.wait(_POLL_SECONDS)
            except Exception:  # noqa: BLE001  (a thread that ends in silence would leave the service behind for good)
                self._log.exception("watching failed")
                self._stop.wait(_POLL_SECONDS)

    def _follow(self, connection: psycopg.Connection[TupleRow]) -> None:
        while not self._stop.is_set():
            self.refresh(connection)
            self.asked.set()
            for _ in connection.notifies(timeout=_POLL_SECONDS, stop_after=1):
                pass

    def refresh(self, connection: psycopg.Connection[TupleRow]) -> None:
        """Ask the database once.

        Raises
        ------
        psycopg.Error
            If it is away.
        """
        tokens = list_tokens(connection)
        self.tokens = TokenBook(tokens)
        version = online_version(connection, self.contract.name)
        if version is None:
            if self.scorer is not None:
                self._log.warning("no model is deployed any more")
                self._use(None)
            self.reason = "no model is deployed: run `loanwatch run` or `loanwatch models promote`"
            self._alarm.bare(connection)
        elif self._is_news(version):
            self._change(connection, version)
        elif self._failed is None and not self._alarm.is_settled:  # rolled back from a model that could not be used
            self._tell_well(connection, version)
        self._keep(version, tokens)

    def _is_news(self, version: ModelVersion) -> bool:
        known = self.scorer.version if self.scorer else None
        if known is not None and (known.id, known.digest) == (version.id, version.digest):
            self._failed = None
            return False
        tried = self._failed == (version.id, version.digest)
        return not tried or time.monotonic() - self._failed_at >= _TRY_AGAIN_SECONDS

    def _change(self, connection: psycopg.Connection[TupleRow], version: ModelVersion) -> None:
        try:
            scorer = load_scorer(self.storage, version, self.contract)
        except _UNUSABLE as error:
            self._give_up(connection, version, error)
            return
        self._failed = None
        self._use(scorer)
        self._log.info("model in use", model=version.title)
        self._tell_well(connection, version)

    def _give_up(self, connection: psycopg.Connection[TupleRow], version: ModelVersion, error: Exception) -> None:
        is_known = self._failed == (version.id, version.digest)
        if self.scorer is None and not is_known:
            self.reason = f"{version.title} cannot be used"
            self._recall()
        with self._hold(connection, version) as is_online:
            if not is_online:
                return
            if not is_known:
                self._tell_unusable(connection, version, error)
        self._failed, self._failed_at = (version.id, version.digest), time.monotonic()  # told, and committed

    def _tell_well(self, connection: psycopg.Connection[TupleRow], version: ModelVersion) -> None:
        with self._hold(connection, version) as is_online:
            if is_online:  # else the alert is another worker's, about the version that took its place
                self._alarm.well(connection, version)
        self._alarm.is_settled = is_online  # told, and committed

    @contextmanager
    def _hold(self, connection: psycopg.Connection[TupleRow], version: ModelVersion) -> Iterator[bool]:
        """Tell whether a version is still online after its files were read, and let nothing change that meanwhile.

        An alert opened for a version that was rolled back would stay open; one closed for a version that was replaced
        may be the next one's.
        """
        with connection.transaction():
            hold_deployments(connection, self.contract.name)
            yield online_version(connection, self.contract.name) == version

    def _use(self, scorer: Scorer | None) -> None:
        self.scorer = scorer
        self._told(scorer)

    def _keep(self, online: ModelVersion | None, tokens: Sequence[Token]) -> None:
        if self._last_known is None:
            return
        if online is None:
            self._last_known.forget()
        elif self.scorer is not None:
            self._last_known.keep(self.scorer.version, tokens)
        elif found := self._last_known.recall():  # its files are out of reach now, and need not stay so
            self._last_known.keep(found[0], tokens)

    def _recall(self) -> None:
        """Begin with what an earlier worker ended with."""
        found = self._last_known.recall() if self._last_known is not None else None
        if found is None:
            return
        version, tokens = found
        self.tokens = TokenBook(tokens) if self.tokens is None else self.tokens
        try:
            self._use(load_scorer(self.storage, version, self.contract))
        except _UNUSABLE as error:
            self._log.warning("the model in use last cannot be used", model=version.title, reason=shorten(error, 300))
            return
        self._log.warning("the model in use last goes on", model=version.title)

    def _tell_unusable(self, connection: psycopg.Connection[TupleRow], version: ModelVersion, error: Exception) -> None:
        instead = self.scorer.version if self.scorer else None
        kept = instead.title if instead else None
        self._log.error("model cannot be used", model=version.title, reason=shorten(error, 300), kept=kept)
        self._told(self.scorer, failed=True)
        self._alarm.unusable(connection, version, error, instead=instead)
