"""A simulated lender's year, taken month by month, in a folder and on a server of its own."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from loanwatch.channel_settings import AlertingSettings
from loanwatch.database import Database, EmbeddedServer
from loanwatch.pipeline.backfill import windows_between
from loanwatch.pipeline.flow import run_window
from loanwatch.pipeline.runs import Run
from loanwatch.settings import Settings
from loanwatch.simulator import demo_schedule, simulate, write

__all__ = ["DEMO_FOLDER", "run_demo"]

DEMO_FOLDER = "demo"
"""Under the home folder; whatever the user keeps there otherwise stays as it is."""

_OWN_FOLDERS = ("runs", "models", "reports")
_START = datetime(2015, 1, 1, tzinfo=UTC)
_END = datetime(2016, 1, 1, tzinfo=UTC)


def run_demo(home: Path, *, seed: int = 0, tell: Callable[[str, int, int], None]) -> Iterator[Run]:
    """Simulate the year afresh and run its months; yields each run as it ends.

    Parameters
    ----------
    home : Path
        The demo's folder; what an earlier demo left there is removed.
    seed : int
        Of the simulated population.
    tell : callable
        Called with what is being done, how many windows are done and how many there are.
    """
    windows = list(windows_between(_START, _END, every="month"))
    # the demo's own server, whatever the environment names: nobody's applications may be replaced by simulated ones
    database = Database(EmbeddedServer(home / "postgres").start())
    tell("simulating a lender's year", 0, len(windows))
    _forget(home, database)
    year = simulate(start=_START, end=_END, seed=seed, events=demo_schedule(_START))
    write(database, year, replace=True)
    settings = _own_settings(home)
    for done, (start, end) in enumerate(windows):
        month = f"{start:%B %Y}"

        def tell_stage(stage: str, month: str = month, done: int = done) -> None:
            tell(f"{month}: {stage.replace('_', ' ')}", done, len(windows))

        yield run_window(settings, database, start=start, end=end, tell=tell_stage)
    tell("done", len(windows), len(windows))


def _own_settings(home: Path) -> Settings:
    """Return settings that no variable and no file can lead out of the demo's folder."""
    return Settings(
        home=home,
        storage_url=None,
        contract_file=None,
        leakage=None,
        retrain_on=None,
        channels={},
        alerting=AlertingSettings(),
    )


def _forget(home: Path, database: Database) -> None:
    for folder in _OWN_FOLDERS:
        shutil.rmtree(home / folder, ignore_errors=True)
    with database.connect() as connection:
        connection.execute("DROP SCHEMA IF EXISTS loanwatch CASCADE")
