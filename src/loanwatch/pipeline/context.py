"""What the stages of a run share: where things lie, and what earlier stages left there.

Everything here is found again from the run's id, so a stage can be done in another process, and again.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from loanwatch.contract import Contract
from loanwatch.database import Database, open_database
from loanwatch.errors import LoanwatchError
from loanwatch.features import Cleaned, clean, engineer
from loanwatch.monitoring import CheckReport, Finding, ScoredWindow
from loanwatch.monitoring.data_quality import LEAKAGE, leaking_rows
from loanwatch.pipeline.bundle import DeployedModel, load_model
from loanwatch.pipeline.runs import Run, find_run
from loanwatch.pipeline.steps import Step, steps_of
from loanwatch.registry import ModelVersion, version_by_id
from loanwatch.settings import Settings
from loanwatch.storage import open_storage

__all__ = ["RunContext", "open_run"]


class RunContext:
    """One run, as a process sees it."""

    def __init__(
        self, run: Run, *, database: Database, settings: Settings, tell: Callable[[str], None] | None = None
    ) -> None:
        self.run = run
        self.database = database
        self.settings = settings
        self.snapshots = open_storage(settings, "runs")
        self.models = open_storage(settings, "models")
        self.reports = open_storage(settings, "reports")
        self.tell = tell or (lambda _message: None)
        """Called with what is being done, for a progress bar."""
        self._done: dict[str, Step] = {}

    @cached_property
    def contract(self) -> Contract:
        """The contract that the run pinned when it began."""
        return self.run.pinned_contract()

    def key(self, file: str) -> str:
        """Return the storage key of one of the run's files."""
        return f"{self.run.id}/{file}"

    @cached_property
    def cleaned(self) -> Cleaned:
        """The window's snapshot, cleaned, with the engineered columns."""
        return self.read_cleaned("window.parquet")

    def read_cleaned(self, file: str) -> Cleaned:
        """Return one of the run's snapshots, cleaned, with the engineered columns."""
        cleaned = clean(pl.read_parquet(self.snapshots.path(self.key(file))), self.contract)
        # the database delivers rows in any order; a fixed one makes training the same each time
        order = cleaned.frame.select(
            pl.arg_sort_by(self.contract.time.column, self.contract.keys.application, nulls_last=True)
        ).to_series()
        return Cleaned(frame=engineer(cleaned.frame[order], self.contract), issues=cleaned.issues[order])

    @cached_property
    def judged(self) -> Cleaned:
        """The window without the rows that give the label away, where the policy sets those aside."""
        return self.without_leaks(self.cleaned)

    def without_leaks(self, cleaned: Cleaned) -> Cleaned:
        """Return the rows that may train and judge a model under the policy."""
        if self.contract.policy.leakage != "exclude":
            return cleaned
        report = replace(self.report("data_quality"), findings=self.leaks)
        keep = pl.Series(~leaking_rows(cleaned, report))
        return Cleaned(frame=cleaned.frame.filter(keep), issues=cleaned.issues.filter(keep))

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """The label leaks of this window, and those the deployed model was kept from: a window may lack such rows."""
        found = tuple(f for f in self.report("data_quality").findings if f.check == LEAKAGE)
        earlier = [Finding.from_dict(leak) for leak in self.champion.card.get("leaks", ())] if self.champion else []
        known = {(f.subject, str(f.details.get("region"))) for f in found}
        return found + tuple(f for f in earlier if (f.subject, str(f.details.get("region"))) not in known)

    @cached_property
    def champion_version(self) -> ModelVersion | None:
        """The version that was deployed when the run began."""
        if self.run.champion_id is None:
            return None
        with self.database.connect() as connection:
            return version_by_id(connection, self.run.champion_id)

    @cached_property
    def champion_is_foreign(self) -> bool:
        """Whether the deployed model knows other predictors or label words, and so cannot judge this window."""
        ours = what_a_model_judges(self.contract)
        return self.champion_version is not None and self.champion_version.metadata.get("judges", ours) != ours

    @cached_property
    def champion(self) -> DeployedModel | None:
        """The model that was deployed when the run began, its files checked against their digest; None if foreign."""
        if self.champion_version is None or self.champion_is_foreign:
            return None
        return load_model(self.models, self.champion_version)

    def step(self, stage: str) -> Step:
        """Return what an earlier stage came to.

        Raises
        ------
        LoanwatchError
            If the stage has not been done yet.
        """
        if stage not in self._done:
            with self.database.connect() as connection:
                self._done |= {step.stage: step for step in steps_of(connection, self.run.id) if step.is_done}
        if stage in self._done:  # what is done stays as it is
            return self._done[stage]
        raise LoanwatchError(f"run {self.run.id} has not come past {stage} yet: ask for that stage first")

    def result(self, stage: str) -> dict[str, Any]:
        """Return the result that an earlier stage recorded."""
        return dict(self.step(stage).result)

    def report(self, check: str) -> CheckReport:
        """Return the report of a check that was done before."""
        return CheckReport.from_dict(self.result(check)["report"])

    def scored(self) -> ScoredWindow:
        """Return the window as the deployed model scored it."""
        return ScoredWindow.from_frame(pl.read_parquet(self.snapshots.path(self.key("scored.parquet"))))


def what_a_model_judges(contract: Contract) -> dict[str, Any]:
    """Return what must be the same for a model to judge a window: predictors with their kinds, label words."""
    return {
        "predictors": {column.name: contract.kind_of(column.name).value for column in contract.predictors},
        "label": [contract.label.column, contract.label.positive, contract.label.negative],
    }


def moments_of(frame: pl.DataFrame, contract: Contract) -> "np.ndarray[tuple[int], np.dtype[np.datetime64]]":
    """Return when the applications were made, datetime64[us] in UTC, shape (n,)."""
    return frame[contract.time.column].dt.replace_time_zone(None).to_numpy()


def open_run(run_id: int, *, settings: Settings) -> RunContext:
    """Return the context of a run, for a process that knows only its id."""
    database = open_database(settings)
    return RunContext(find_run(database, run_id), database=database, settings=settings)
