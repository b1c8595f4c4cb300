"""Two runs at once do not harm each other."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from loanwatch.database import Database
from loanwatch.pipeline import Outcome, Run, list_runs, run_window
from loanwatch.registry import deployments, versions
from loanwatch.settings import Settings

JANUARY, FEBRUARY, MARCH = (datetime(2015, month, 1, tzinfo=UTC) for month in (1, 2, 3))


def run_together(settings: Settings, database: Database, *windows: tuple[datetime, datetime]) -> list[Run]:
    with ThreadPoolExecutor(len(windows)) as pool:
        started = [pool.submit(run_window, settings, database, start=start, end=end) for start, end in windows]
        return [each.result() for each in started]


def test_the_same_window_twice_is_one_run_with_one_deployment(settings: Settings, applications: Database) -> None:
    first, second = run_together(settings, applications, (JANUARY, FEBRUARY), (JANUARY, FEBRUARY))
    assert first.id == second.id
    assert first.outcome == second.outcome == Outcome.DEPLOYED
    with applications.connect() as connection:
        assert len(versions(connection, first.contract)) == 1
        assert len(deployments(connection, first.contract)) == 1
        repeated = connection.execute("SELECT stage FROM loanwatch.run_step WHERE attempt_count > 1").fetchall()
    assert repeated == []


def test_two_windows_that_both_train_deploy_one_model_and_keep_the_other(
    settings: Settings, applications: Database
) -> None:
    both = run_together(settings, applications, (JANUARY, FEBRUARY), (FEBRUARY, MARCH))
    assert {run.status for run in both} == {"finished"}
    assert len(list_runs(applications, both[0].contract)) == 2
    with applications.connect() as connection:
        online = versions(connection, both[0].contract, status="online")
        journal = deployments(connection, both[0].contract)
    assert len(online) == 1
    assert len(journal) == sum(run.outcome in (Outcome.DEPLOYED, Outcome.RETRAINED) for run in both)
