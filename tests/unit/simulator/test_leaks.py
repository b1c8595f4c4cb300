"""The three label leaks: absent by default, perfect when switched on."""

from datetime import date

import polars as pl
import pytest
from scipy import stats

from loanwatch.errors import ContractError
from loanwatch.simulator import Leaks, Population, simulate

PERIOD = {"start": date(2015, 1, 1), "end": date(2015, 5, 1), "seed": 40}
FLAWS = {
    "missing_record": ("ambiguous", True),
    "sentinel_amount": ("sentinel", True),
    "tenfold_score": ("tenfold", False),
}


@pytest.fixture(scope="module")
def honest():
    return simulate(**PERIOD).truth


@pytest.mark.parametrize("flaw", [flaw for flaw, _ in FLAWS.values()])
def test_by_default_no_flaw_of_a_record_tells_the_label(honest, flaw):
    flawed, sound = honest.filter(pl.col(flaw))["label"], honest.filter(~pl.col(flaw))["label"]
    table = [[s.sum(), s.len() - s.sum()] for s in (flawed, sound)]
    assert flawed.len() > 500
    assert stats.chi2_contingency(table).pvalue > 0.001


@pytest.mark.parametrize("leak", FLAWS)
def test_each_switch_plants_its_leak_and_no_other(leak):
    truth = simulate(**PERIOD, leaks=Leaks(**{leak: True})).truth
    flaw, given = FLAWS[leak]
    decided = truth.filter(pl.col(flaw))
    assert decided["label"].unique().to_list() == [given]
    assert decided["probability"].unique().to_list() == [float(given)]
    for other in {f for f, _ in FLAWS.values()} - {flaw}:
        assert 0.5 < truth.filter(pl.col(other) & ~pl.col(flaw))["label"].mean() < 0.9


@pytest.mark.parametrize("leak", FLAWS)
def test_a_leak_leaves_the_share_given_and_the_applicants_as_they_were(honest, leak):
    truth = simulate(**PERIOD, leaks=Leaks(**{leak: True})).truth
    assert truth["label"].mean() == pytest.approx(honest["label"].mean(), abs=0.01)
    assert truth["annual_income"].equals(honest["annual_income"])


def test_all_three_leaks_at_once_are_all_perfect():
    truth = simulate(**PERIOD, leaks=Leaks(missing_record=True, sentinel_amount=True, tenfold_score=True)).truth
    assert truth.filter(pl.col("ambiguous") | pl.col("sentinel"))["label"].all()
    assert not truth.filter(pl.col("tenfold"))["label"].any()


def test_leaks_that_decide_more_than_is_given_are_refused():
    with pytest.raises(ContractError, match=r"leaks missing_record: approval rate 0\.3"):
        simulate(**PERIOD, leaks=Leaks(missing_record=True), population=Population(approval_rate=0.3))


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_population_takes_shares_only(share):
    with pytest.raises(ContractError, match="sentinel_share is a share"):
        Population(sentinel_share=share)
