from dataclasses import replace

import pytest

from loanwatch.contract import Policy
from loanwatch.monitoring import Measurement
from loanwatch.training import Candidate, select

POLICY = Policy(minimum_auc=0.7, maximum_degradation=0.1)


def figures(**values: float) -> tuple[Measurement, ...]:
    return tuple(Measurement(name=name, value=value) for name, value in values.items())


@pytest.fixture
def make(candidate):
    def of(name: str, *, train: float, test: float, brier: float = 0.15) -> Candidate:
        return replace(
            candidate, name=name, train_metrics=figures(auc=train), test_metrics=figures(auc=test, brier=brier)
        )

    return of


def test_the_best_test_auc_wins_not_the_least_degraded(make):
    one, other = make("steady", train=0.75, test=0.75), make("better", train=0.85, test=0.78)
    selection = select([one, other], POLICY)
    assert selection.winner is other
    assert "best test AUC" in selection.reasons["better"]
    assert "but better reaches 0.780" in selection.reasons["steady"]


def test_a_degraded_candidate_is_out_however_good(make):
    one, other = make("overfit", train=1.0, test=0.89), make("honest", train=0.8, test=0.75)
    selection = select([one, other], POLICY)
    assert selection.winner is other
    assert "falls by 0.110" in selection.reasons["overfit"]


def test_both_thresholds_are_inclusive(make):
    assert select([make("edge", train=0.75, test=0.7)], POLICY).winner is not None
    assert select([make("below", train=0.75, test=0.6999)], POLICY).winner is None
    policy = Policy(minimum_auc=0.5, maximum_degradation=0.25)
    assert select([make("edge", train=1.0, test=0.75)], policy).winner is not None
    assert select([make("beyond", train=1.0, test=0.7499)], policy).winner is None


def test_of_equals_the_lower_brier_score_wins(make):
    one, other = make("a", train=0.8, test=0.75, brier=0.16), make("b", train=0.8, test=0.75, brier=0.15)
    selection = select([one, other], POLICY)
    assert selection.winner is other
    assert "same test AUC" in selection.reasons["a"]
    assert select([other, one], POLICY).winner is other


def test_without_a_qualified_candidate_nobody_wins_and_each_knows_why(make):
    weak, overfit, blind = (
        make("weak", train=0.7, test=0.65),
        make("overfit", train=0.95, test=0.8),
        make("blind", train=0.7, test=float("nan")),
    )
    selection = select([weak, overfit, blind], POLICY)
    assert selection.winner is None
    assert "test AUC 0.650 is below 0.7" in selection.reasons["weak"]
    assert "falls by 0.150" in selection.reasons["overfit"]
    assert "nan" in selection.reasons["blind"]


def test_no_candidates_give_no_winner():
    selection = select([], POLICY)
    assert selection.winner is None
    assert selection.reasons == {}
