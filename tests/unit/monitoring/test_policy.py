"""From checks to one action."""

from datetime import UTC, datetime

import pytest

from loanwatch.contract import Policy
from loanwatch.monitoring.policy import Action, decide
from loanwatch.monitoring.result import CheckReport, Finding, Severity, Status

EVIDENCE, CLASSIC = Policy(), Policy(retrain_on="any_drift")


def report(check, *severities, since=None, status=None):
    findings = tuple(
        Finding(check=check, subject="x", severity=s, sentence=f"{check} is {s.word}.") for s in severities
    )
    bad = any(s >= Severity.MEDIUM for s in severities)
    return CheckReport(
        check=check,
        status=status or (Status.FAIL if bad else Status.PASS),
        summary=f"{check} summary.",
        findings=findings,
        details={"since": since},
    )


def decided(policy=EVIDENCE, age=10.0, *, quality=(), data=(), concept=(), model=(), since=None, **statuses):
    return decide(
        data_quality=report("data_quality", *quality),
        data_drift=report("data_drift", *data),
        concept_drift=report("concept_drift", *concept, since=since, status=statuses.get("concept_status")),
        model_drift=report("model_drift", *model, status=statuses.get("model_status")),
        model_age_days=age,
        policy=policy,
    )


@pytest.mark.parametrize("policy", [EVIDENCE, CLASSIC])
@pytest.mark.parametrize("age", [None, 10.0])
@pytest.mark.parametrize("severity", [Severity.HIGH, Severity.CRITICAL])
def test_bad_quality_halts_whatever_else_was_found(policy, age, severity):
    decision = decided(policy, age, quality=(severity,), concept=(Severity.HIGH,), since="2026-03-12")
    assert decision.action is Action.HALT
    assert decision.reasons == (f"data_quality is {severity.word}.",)
    assert decision.train_since is None


def test_medium_quality_findings_do_not_halt():
    assert decided(quality=(Severity.MEDIUM,)).action is Action.NONE


def test_the_first_model_is_trained_when_none_is_deployed():
    good = report("data_quality")
    decision = decide(
        data_quality=good, data_drift=None, concept_drift=None, model_drift=None, model_age_days=None, policy=CLASSIC
    )
    assert decision.action is Action.TRAIN_FIRST


def test_changed_relation_retrains_on_applications_after_the_change():
    decision = decided(concept=(Severity.MEDIUM,), since="2026-03-12")
    assert decision.action is Action.RETRAIN
    assert decision.train_since == datetime(2026, 3, 12, tzinfo=UTC)
    assert decision.reasons == ("concept_drift is medium.",)


def test_a_change_that_cannot_be_dated_retrains_on_everything():
    decision = decided(concept=(Severity.HIGH,))
    assert decision.action is Action.RETRAIN
    assert decision.train_since is None


def test_dates_with_a_zone_become_utc():
    decision = decided(concept=(Severity.HIGH,), since="2026-03-12T01:00:00+02:00")
    assert decision.train_since == datetime(2026, 3, 11, 23, tzinfo=UTC)


def test_slight_concept_drift_is_a_notice_and_does_not_cut_the_training_data():
    assert decided(concept=(Severity.LOW,), since="2026-03-12").action is Action.NOTICE
    decision = decided(concept=(Severity.LOW,), model=(Severity.MEDIUM,), since="2026-03-12")
    assert decision.action is Action.RETRAIN
    assert decision.train_since is None


def test_a_worse_model_retrains():
    assert decided(model=(Severity.MEDIUM,)).action is Action.RETRAIN


@pytest.mark.parametrize(("age", "action"), [(365.0, Action.NONE), (365.5, Action.RETRAIN)])
def test_an_old_model_is_retrained(age, action):
    decision = decided(age=age)
    assert decision.action is action
    assert (action is Action.RETRAIN) == ("days old" in decision.reasons[0])


@pytest.mark.parametrize("severity", [Severity.LOW, Severity.MEDIUM, Severity.CRITICAL])
def test_moved_features_alone_are_a_notice(severity):
    decision = decided(data=(severity,))
    assert decision.action is Action.NOTICE
    assert "no retraining is needed" in decision.reasons[-1]


def test_moved_features_without_labels_make_no_claim_about_the_model():
    decision = decided(data=(Severity.MEDIUM,), concept_status=Status.SKIPPED)
    assert decision.action is Action.NOTICE
    assert "cannot be judged" in decision.reasons[-1]


def test_a_quiet_window_says_what_was_looked_at():
    decision = decided()
    assert decision.action is Action.NONE
    assert len(decision.reasons) == 3
    skipped = decided(concept_status=Status.SKIPPED)
    assert "concept_drift summary." in skipped.reasons


@pytest.mark.parametrize(
    ("data", "concept", "model", "action"),
    [
        ((), (Severity.HIGH,), (Severity.HIGH,), Action.NONE),
        ((Severity.MEDIUM,), (Severity.HIGH,), (), Action.NOTICE),
        ((Severity.MEDIUM,), (), (Severity.MEDIUM,), Action.RETRAIN),
        ((Severity.LOW,), (), (Severity.MEDIUM,), Action.RETRAIN),
        ((Severity.MEDIUM,), (), (Severity.LOW,), Action.NOTICE),
    ],
)
def test_the_classic_rule_asks_for_data_drift_then_model_drift(data, concept, model, action):
    assert decided(CLASSIC, data=data, concept=concept, model=model).action is action


def test_reasons_are_bounded_and_the_worst_come_first():
    decision = decided(model=(Severity.MEDIUM, Severity.MEDIUM, Severity.HIGH, Severity.MEDIUM, Severity.MEDIUM))
    assert decision.reasons[0] == "model_drift is high."
    assert decision.reasons[-1] == "2 more findings of this kind."
    assert len(decision.reasons) == 4
