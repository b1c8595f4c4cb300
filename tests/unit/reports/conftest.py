"""A summary with something in every part."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from loanwatch.monitoring import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.reports import CandidateFigures, HistoryPoint, ModelFigures, RunSummary

NUMERIC = {
    "kind": "numeric",
    "histogram": {"boundaries": [0.0, 10.0, 20.0, 30.0], "reference": [0.2, 0.5, 0.3], "current": [0.1, 0.3, 0.6]},
    "missing_rate": {"reference": 0.35, "current": 0.42},
    "absent": {
        "missing": {"reference": 300, "current": 340},
        "sentinel": {"reference": 50, "current": 80},
        "unreadable": {"reference": 0, "current": 0},
    },
    "quantiles": {"0.5": {"reference": 15.0, "current": 22.0}},
    "mean": {"reference": 15.5, "current": None},
}

CATEGORICAL = {
    "kind": "categorical",
    "categories": [
        {"name": "debt consolidation", "reference": 0.8, "current": 0.7},
        {"name": "<b>home</b>", "reference": 0.2, "current": 0.3},
    ],
    "missing_rate": {"reference": 0.0, "current": 0.0},
}


def finding(subject="annual_income", severity=Severity.MEDIUM, details=None, sentence="Annual income moved."):
    return Finding(
        check="data_drift.univariate",
        subject=subject,
        severity=severity,
        sentence=sentence,
        measurements=(Measurement(name="psi", value=0.13, p_value=1e-9),),
        details=NUMERIC if details is None else details,
    )


def report(name="data_drift", *findings, **values):
    status = Status.FAIL if findings else Status.PASS
    return CheckReport(check=name, **{"status": status, "summary": f"{name} said.", "findings": findings, **values})


@pytest.fixture
def minimal():
    return RunSummary(
        run_id="7",
        title="Loan eligibility",
        window_start=datetime(2015, 4, 27, tzinfo=UTC),
        window_end=datetime(2015, 5, 8, tzinfo=UTC),
        rows=1651,
        outcome="no_change",
    )


@pytest.fixture
def full(minimal):
    auc = Measurement(name="auc", value=0.771, lower=0.751, upper=0.791)
    return replace(
        minimal,
        outcome="notice",
        champion=ModelFigures(name="loan_eligibility", version="3", algorithm="random_forest", digest="ab" * 32),
        new_model=ModelFigures(name="loan_eligibility", version="4", training_window=("2015-04-16", "2015-04-27")),
        reasons=("Annual income moved.", "The model is still as good as it was."),
        data_quality=report("data_quality", limitations=("Volume was not compared.",)),
        data_drift=report("data_drift", finding(), finding("purpose", Severity.LOW, CATEGORICAL, "The mix moved.")),
        concept_drift=report("concept_drift"),
        model_drift=report("model_drift", measurements={"dataset": (auc,), "reference": (auc,)}),
        candidates=(
            CandidateFigures(name="random_forest", chosen=True, train=(auc,), test=(auc,), reason="The best."),
            CandidateFigures(name="gradient_boosting", chosen=False, train=(auc,), test=()),
        ),
        comparison={
            "reason": "The new model is better.",
            "measurements": [{"name": "auc_difference", "value": 0.02, "lower": 0.01, "upper": 0.03}],
            "swap_set": {
                "given_to_refused": {"rows": 41, "positive_rate": 0.49},
                "refused_to_given": {"rows": 0, "positive_rate": None},
            },
        },
        history=(
            HistoryPoint(window="2015-01", auc=0.78, lower=0.76, upper=0.80, estimate=0.779),
            HistoryPoint(window="2015-02"),
            HistoryPoint(window="2015-03", estimate=0.75),
        ),
        importance={"annual_income": 0.142},
        column_titles={"annual_income": "annual income"},
        code_version="0.1.0",
    )
