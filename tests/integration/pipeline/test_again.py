"""What failed, halted or changed is taken up again in the right way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from loanwatch.alerts import Event, cause_of, list_alerts, open_alert
from loanwatch.alerts.events import NOTICES
from loanwatch.contract import Contract
from loanwatch.database import Database
from loanwatch.errors import NotEnoughDataError
from loanwatch.monitoring import Severity
from loanwatch.pipeline import Outcome, Run, RunContext, backfill, begin_run, run_window
from loanwatch.pipeline.runs import end_run
from loanwatch.pipeline.stages.train import training_rows
from loanwatch.registry import versions
from loanwatch.settings import Settings
from loanwatch.simulator import RelationChange, simulate, write

JANUARY, FEBRUARY, MARCH, APRIL = (datetime(2015, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4))


def with_minimum(contract: Contract, rows: int) -> Contract:
    return replace(contract, training=replace(contract.training, minimum_rows=rows))


def failed(database: Database, contract: Contract) -> Run:
    run = begin_run(database, contract, start=JANUARY, end=FEBRUARY)
    with database.connect() as connection:
        end_run(connection, run, status="failed", outcome="failed", summary={})
    return run


def test_a_failed_run_continues_with_the_same_contract(database: Database, settings: Settings) -> None:
    first = failed(database, settings.contract())
    second = begin_run(database, settings.contract(), start=JANUARY, end=FEBRUARY)
    assert (second.id, second.status) == (first.id, "started")


def test_a_failed_run_begins_anew_with_a_changed_contract_or_when_asked_to(
    database: Database, settings: Settings
) -> None:
    contract = settings.contract()
    first = failed(database, contract)
    anew = begin_run(database, with_minimum(contract, 60), start=JANUARY, end=FEBRUARY)
    assert (anew.attempt, anew.pinned_contract().training.minimum_rows) == (2, 60)
    with database.connect() as connection:
        end_run(connection, anew, status="failed", outcome="failed", summary={})
    assert begin_run(database, with_minimum(contract, 60), start=JANUARY, end=FEBRUARY, again=True).attempt == 3
    assert first.attempt == 1


def test_a_finished_run_is_never_failed_afterwards(database: Database, settings: Settings) -> None:
    run = begin_run(database, settings.contract(), start=JANUARY, end=FEBRUARY)
    with database.connect() as connection:
        assert end_run(connection, run, status="finished", outcome="no_change", summary={})
        assert not end_run(connection, run, status="failed", outcome="failed", summary={})
        assert connection.execute("SELECT status FROM loanwatch.run").fetchone() == ("finished",)


def test_a_model_of_another_contract_is_replaced_and_blocks_nothing(
    applications: Database, settings: Settings, tmp_path: Path
) -> None:
    first = run_window(settings, applications, start=JANUARY, end=FEBRUARY)
    source = Path(__file__).parents[3] / "src/loanwatch/contract"
    text = (source / "loan_eligibility.toml").read_text()
    head, tail = text.split('name = "no_of_children"')
    changed = head + 'name = "no_of_children"' + tail.replace("predictor = true", "predictor = false", 1)
    (tmp_path / "mine.toml").write_text(changed)
    (tmp_path / "loan_eligibility.sql").write_text((source / "loan_eligibility.sql").read_text())
    mine = settings.model_copy(update={"contract_file": tmp_path / "mine.toml"})
    with applications.connect() as connection:
        news = cause_of(first.contract, Event.ROLLED_BACK, window="earlier")
        open_alert(connection, event=Event.ROLLED_BACK, severity=Severity.LOW, message="m", dedup_key=news)

    second = run_window(mine, applications, start=FEBRUARY, end=MARCH)

    assert (first.outcome, second.outcome) == (Outcome.DEPLOYED, Outcome.RETRAINED)
    assert second.summary is not None
    assert "another contract" in second.summary["reasons"][0]
    with applications.connect() as connection:
        newest = versions(connection, first.contract)[0]
        still_news = {alert.event for alert in list_alerts(connection)} & set(NOTICES)
    assert still_news == {"retrained", "promoted"}  # of this run; those of earlier ones are closed
    assert "no_of_children" not in newest.metadata["importance"]


def test_windows_that_were_halted_train_no_later_model(applications: Database, settings: Settings) -> None:
    contract = settings.contract()
    halted = begin_run(applications, contract, start=JANUARY, end=FEBRUARY)
    with applications.connect() as connection:
        end_run(connection, halted, status="finished", outcome="halted", summary={})
    run = run_window(settings, applications, start=FEBRUARY, end=MARCH)
    assert run.outcome == Outcome.DEPLOYED
    times = training_rows(_context(run, settings, applications)).frame[contract.time.column]
    assert times.min() >= FEBRUARY


def test_history_before_the_window_trains_too(applications: Database, settings: Settings) -> None:
    run = run_window(settings, applications, start=FEBRUARY, end=MARCH)
    frame = training_rows(_context(run, settings, applications)).frame
    assert frame[settings.contract().time.column].min() < FEBRUARY


def test_labels_that_are_not_due_yet_do_not_train(applications: Database, settings: Settings, tmp_path: Path) -> None:
    run = run_window(settings, applications, start=JANUARY, end=FEBRUARY)
    context = _context(run, settings, applications)
    contract = context.contract
    delay = (run.started_at - JANUARY).days - 10
    late = replace(contract, label=replace(contract.label, delay_days=delay))
    context.__dict__["contract"] = late
    frame = training_rows(context).frame
    due = run.started_at - timedelta(days=delay)
    assert frame.filter(pl.col(contract.time.column) > due)[contract.label.column].null_count() > 1_000
    assert frame.filter(pl.col(contract.time.column) <= due)[contract.label.column].null_count() == 0


def test_a_model_is_not_judged_on_the_labels_it_learnt_from(applications: Database, settings: Settings) -> None:
    run_window(settings, applications, start=JANUARY, end=FEBRUARY)
    early = run_window(settings, applications, start=JANUARY, end=datetime(2015, 1, 15, tzinfo=UTC))
    assert early.summary is not None
    assert early.summary["auc"]["of"] == "deployed model, estimated without labels"


def test_a_window_of_the_past_replaces_no_model_that_learnt_from_later_applications(
    database: Database, settings: Settings
) -> None:
    changes = [
        RelationChange(column=column, strength=-1, keep_rate=True, start=FEBRUARY)
        for column in ("years_in_current_job", "home_ownership")
    ]
    write(database, simulate(start=FEBRUARY, end=MARCH, seed=7, per_month=3_000, events=changes))
    first = run_window(settings, database, start=FEBRUARY, end=MARCH)
    october, november = (datetime(2014, month, 1, tzinfo=UTC) for month in (10, 11))  # before the history it trains on
    write(database, simulate(start=october, end=november, seed=8, per_month=3_000))
    past = run_window(settings, database, start=october, end=november)
    assert first.outcome == Outcome.DEPLOYED
    assert past.outcome == Outcome.NOTICE
    assert past.summary is not None
    assert past.summary["checks"]["concept_drift"]["severity"] == "high"
    assert "learnt from applications up to 2015-03-01" in past.summary["reasons"][-1]
    with database.connect() as connection:
        assert [(each.version, each.status) for each in versions(connection, first.contract)] == [(1, "online")]


def test_a_backfill_goes_on_after_a_window_without_applications(applications: Database, settings: Settings) -> None:
    runs = list(backfill(settings, applications, start=JANUARY, end=APRIL, every="month"))
    assert [run.status for run in runs] == ["finished", "finished", "failed"]


def test_too_few_applications_for_a_first_model_are_an_error(database: Database, settings: Settings) -> None:
    write(database, simulate(start=JANUARY, end=FEBRUARY, seed=1, rows=40))
    with pytest.raises(NotEnoughDataError, match="fewer than the 500"):
        run_window(settings, database, start=JANUARY, end=FEBRUARY)


def _context(run: Run, settings: Settings, database: Database) -> RunContext:
    return RunContext(run, database=database, settings=settings)
