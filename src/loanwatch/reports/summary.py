"""What a report says of one run, before any page is made of it."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from loanwatch.monitoring import CheckReport, Measurement
from loanwatch.records import record

__all__ = ["CandidateFigures", "Headline", "HistoryPoint", "ModelFigures", "RunSummary"]


@record
class Headline:
    """The three answers of the first screen."""

    happened: str
    """What happened? A few words that stand alone."""
    matters: str
    """Does it matter? One or two sentences."""
    advice: str
    """What shall I do? One or two sentences."""


@record
class ModelFigures:
    """A registered model, as the report names it."""

    name: str
    version: str
    algorithm: str | None = None
    deployed_at: datetime | None = None
    digest: str | None = None
    training_window: tuple[str, str] | None = None
    """First and last day of the training rows, ISO text."""


@record
class CandidateFigures:
    """One trained candidate."""

    name: str
    chosen: bool
    train: tuple[Measurement, ...] = ()
    test: tuple[Measurement, ...] = ()
    reason: str | None = None
    """Why it was or was not chosen."""


@record
class HistoryPoint:
    """How well the deployed model did in one window; None where it is not known."""

    window: str
    """Short name for the axis."""
    auc: float | None = None
    lower: float | None = None
    upper: float | None = None
    estimate: float | None = None
    """AUC estimated without labels."""


@record
class RunSummary:
    """Everything the page of a run shows. Only `run_id`, `title`, window, `rows` and `outcome` are needed."""

    run_id: str
    title: str
    """Title of the contract."""
    window_start: datetime
    window_end: datetime
    """The window is [start, end)."""
    rows: int
    outcome: str
    """Word for how the run ended: `deployed`, `no_change`, `notice`, `retrained`, `challenger_rejected`, `halted`,
    `failed`."""
    headline: Headline | None = None
    """By default it follows from the rest."""
    champion: ModelFigures | None = None
    """The model that was deployed when the run began."""
    new_model: ModelFigures | None = None
    """The model that this run trained and registered."""
    reasons: tuple[str, ...] = ()
    """Why the run decided as it did."""
    data_quality: CheckReport | None = None
    data_drift: CheckReport | None = None
    concept_drift: CheckReport | None = None
    model_drift: CheckReport | None = None
    cause: Mapping[str, Any] = field(default_factory=dict)
    """`Cause.to_dict()`: what stands behind a change of the loss."""
    candidates: tuple[CandidateFigures, ...] = ()
    comparison: Mapping[str, Any] = field(default_factory=dict)
    """`Comparison.to_dict()` of the new model against the deployed one."""
    history: tuple[HistoryPoint, ...] = ()
    importance: Mapping[str, float] = field(default_factory=dict)
    """Feature → share of the deployed model's reliance, in [0, 1]."""
    column_titles: Mapping[str, str] = field(default_factory=dict)
    """Column → what a person calls it."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    code_version: str | None = None

    @property
    def checks(self) -> tuple[tuple[str, CheckReport | None], ...]:
        """The four checks with their titles, in the order of the page."""
        return (
            ("Data quality", self.data_quality),
            ("Data drift", self.data_drift),
            ("Concept drift", self.concept_drift),
            ("Model drift", self.model_drift),
        )
