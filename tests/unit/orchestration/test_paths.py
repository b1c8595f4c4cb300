from typing import Any

import pytest

from loanwatch.monitoring import CheckReport, Finding, Severity, Status
from loanwatch.orchestration import after_comparison, after_data_quality, after_decision


def quality(severity: Severity) -> dict[str, Any]:
    found = (
        ()
        if severity is Severity.NONE
        else (Finding(check="data_quality.x", subject="dataset", sentence="S.", severity=severity),)
    )
    report = CheckReport(check="data_quality", status=Status.PASS, summary="", findings=found)
    return {"report": report.to_dict()}


@pytest.mark.parametrize("severity", [Severity.NONE, Severity.LOW, Severity.MEDIUM])
def test_sound_data_go_on(severity: Severity) -> None:
    assert after_data_quality(quality(severity)) == ["preprocess"]


@pytest.mark.parametrize("severity", [Severity.HIGH, Severity.CRITICAL])
def test_data_that_are_not_fit_are_told_at_once_and_checked_all_the_same(severity: Severity) -> None:
    assert after_data_quality(quality(severity)) == ["preprocess", "data_quality_alert"]


@pytest.mark.parametrize(
    ("action", "task"),
    [
        ("halt", "halted"),
        ("notice", "notice"),
        ("none", "nothing_to_do"),
        ("train_first", "training_data"),
        ("retrain", "training_data"),
    ],
)
def test_each_decision_has_its_way(action: str, task: str) -> None:
    assert after_decision({"action": action, "alerts": []}) == [task]


def test_every_check_that_found_something_is_told() -> None:
    told = after_decision({"action": "retrain", "alerts": ["data_drift", "concept_drift"]})
    assert told == ["training_data", "data_drift_alert", "concept_drift_alert"]


@pytest.mark.parametrize(
    ("promote", "approval", "task"),
    [(True, False, "deploy"), (True, True, "approve"), (False, False, "keep_champion"), (False, True, "keep_champion")],
)
def test_only_a_better_challenger_is_deployed_and_only_with_leave(promote: bool, approval: bool, task: str) -> None:
    assert after_comparison({"promote": promote}, approval=approval) == [task]
