"""A part of the feed on another scale, and columns under each other's names: found, named, and not seen in drift."""

import numpy as np
import polars as pl
import pytest

from loanwatch.comparison import compare
from loanwatch.monitoring import Severity
from loanwatch.monitoring.cause import Verdict

LAWS = {
    "narrow": lambda rng, n: rng.lognormal(11.0, 0.3, n),
    "usual": lambda rng, n: rng.lognormal(9.0, 1.0, n),
    "wide": lambda rng, n: rng.lognormal(6.0, 1.5, n),
    "score": lambda rng, n: rng.normal(700.0, 40.0, n),
    "gamma": lambda rng, n: rng.gamma(2.0, 5_000.0, n),
    "heavy tail": lambda rng, n: 1_000.0 * (rng.pareto(2.0, n) + 1.0),
    "even": lambda rng, n: rng.uniform(1.0, 50.0, n),
}


def quality(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> list:
    return list(compare(pl.DataFrame(before), pl.DataFrame(after)).reports["data_quality"].findings)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(
    ("factor", "share"), [(1_000.0, 0.5), (12.0, 0.3), (0.1, 0.5), (100.0, 0.7), (10.0, 0.25), (0.01, 0.2)]
)
def test_a_share_of_values_in_another_unit_is_told_with_share_and_factor(law: str, factor: float, share: float) -> None:
    rng = np.random.default_rng(1)
    values = LAWS[law](rng, 4_000)
    mixed = np.where(rng.random(4_000) < share, values * factor, values)
    units = [f for f in quality({"x": LAWS[law](rng, 8_000)}, {"x": mixed}) if f.check == "data_quality.unit_change"]
    assert [f.subject for f in units] == ["x"]
    assert units[0].severity is Severity.HIGH
    assert units[0].details["factor"] == pytest.approx(factor, rel=0.25)  # ten and twelve are hard to tell apart
    assert units[0].details["share"] == pytest.approx(share, abs=0.05)
    assert "times" in units[0].sentence
    assert "%" in units[0].sentence


DRIFTS = {
    "five times": lambda x, rng: x * 5.0,
    "a fifth": lambda x, rng: x / 5.0,
    "none": lambda x, rng: x,
    "half as much again": lambda x, rng: x * 1.5,
    "three times": lambda x, rng: x * 3.0,
    "some twice": lambda x, rng: np.where(rng.random(x.size) < 0.5, 2.0 * x, x),
    "some three times": lambda x, rng: np.where(rng.random(x.size) < 0.5, 3.0 * x, x),
    "wider": lambda x, rng: np.median(x) * (x / np.median(x)) ** 1.5,
    "another group": lambda x, rng: np.where(
        rng.random(x.size) < 0.3, rng.lognormal(np.log(np.median(x)) + 1.0, 0.3, x.size), x
    ),
    "a floor": lambda x, rng: np.maximum(x, np.quantile(x, 0.4)),
}


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("rows", [200, 4_000])
def test_drift_is_no_mixed_unit(drift: str, rows: int) -> None:
    told = []
    for seed, law in enumerate(LAWS):
        rng = np.random.default_rng(seed)
        after = DRIFTS[drift](np.abs(LAWS[law](rng, rows)) + 1e-9, rng)
        findings = quality({"x": LAWS[law](rng, 8_000)}, {"x": after})
        told += [(law, f.sentence) for f in findings if f.check in ("data_quality.unit_change", "data_quality.swapped")]
    assert told == []


@pytest.mark.parametrize(
    ("before", "after"),
    [(12.0, 14.0), (36.0, 48.0), (1.0, 2.0)],
)
def test_another_constant_is_no_other_unit_and_no_code(before: float, after: float) -> None:
    other = np.random.default_rng(0).normal(size=3_000)
    told = quality({"x": np.full(3_000, before), "z": other}, {"x": np.full(3_000, after), "z": other[::-1]})
    assert [f.check for f in told if f.severity >= Severity.MEDIUM] == []


def test_zeros_do_not_hide_another_unit() -> None:
    rng = np.random.default_rng(6)

    def balances(n: int) -> np.ndarray:
        return np.where(rng.random(n) < 0.3, 0.0, rng.lognormal(7.0, 1.0, n))

    after = np.where(rng.random(4_000) < 0.5, 1_000.0, 1.0) * balances(4_000)
    units = [f for f in quality({"x": balances(8_000)}, {"x": after}) if f.check == "data_quality.unit_change"]
    assert [f.details["factor"] for f in units] == [1_000.0]
    assert units[0].details["share"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("factor", [100.0, 12.0, 0.001])
@pytest.mark.parametrize("kind", ["zeros", "losses"])
def test_another_unit_of_all_values_is_seen_beyond_zeros_and_losses(kind: str, factor: float) -> None:
    rng = np.random.default_rng(8)

    def column(n: int) -> np.ndarray:
        return (
            np.where(rng.random(n) < 0.6, 0.0, rng.lognormal(9.0, 0.6, n))
            if kind == "zeros"
            else rng.normal(500, 900, n)
        )

    told = quality({"x": column(6_000)}, {"x": factor * column(4_000)})
    units = [f for f in told if f.check == "data_quality.unit_change"]
    assert [f.details["factor"] for f in units] == [pytest.approx(factor, rel=0.25)]
    assert "part" not in units[0].sentence.lower()


@pytest.mark.parametrize("reference_rows", [1, 2, 5, 10, 29])
def test_a_tiny_reference_shows_nothing_swapped(reference_rows: int) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        told = quality(table(rng, reference_rows), table(rng, 500))
        assert [f for f in told if f.check in ("data_quality.swapped", "data_quality.unit_change")] == []


def test_columns_that_grow_alike_are_not_swapped() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        before = {f"bill_{i}": rng.lognormal(7.0 + i / 5, 0.6, 400) for i in range(6)}
        after = {f"bill_{i}": 2.0 * rng.lognormal(7.0 + i / 5, 0.6, 60) for i in range(6)}
        assert [f for f in quality(before, after) if f.check == "data_quality.swapped"] == []


def test_flags_whose_shares_change_places_are_not_swapped() -> None:
    rng = np.random.default_rng(7)
    before = {"a": (rng.random(4_000) < 0.2).astype(float), "b": (rng.random(4_000) < 0.7).astype(float)}
    after = {"a": (rng.random(4_000) < 0.7).astype(float), "b": (rng.random(4_000) < 0.2).astype(float)}
    assert [f for f in quality(before, after) if f.check == "data_quality.swapped"] == []


def table(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    return {
        "income": rng.lognormal(11.0, 0.5, n),
        "debt": rng.gamma(2.0, 300.0, n),
        "years": rng.uniform(0.0, 40.0, n),
        "accounts": rng.poisson(11, n).astype(float),
        "late": rng.poisson(0.3, n).astype(float),
    }


@pytest.mark.parametrize(("first", "second"), [("income", "debt"), ("years", "debt"), ("accounts", "late")])
@pytest.mark.parametrize("rows", [300, 5_000])
def test_swapped_columns_are_told_of_both(first: str, second: str, rows: int) -> None:
    rng = np.random.default_rng(2)
    after = table(rng, rows)
    after[first], after[second] = after[second], after[first]
    swapped = [f for f in quality(table(rng, 8_000), after) if f.check == "data_quality.swapped"]
    assert {f.subject for f in swapped} == {first, second}
    assert all(f.severity is Severity.HIGH for f in swapped)
    assert f"{first} holds what {second} held" in " ".join(f.sentence.lower() for f in swapped)


def test_a_column_that_took_another_ones_place_is_not_swapped() -> None:
    rng = np.random.default_rng(3)
    after = table(rng, 5_000)
    after["income"] = table(rng, 5_000)["debt"]
    assert [f for f in quality(table(rng, 8_000), after) if f.check == "data_quality.swapped"] == []


def test_alike_columns_are_not_swapped_by_drift() -> None:
    rng = np.random.default_rng(4)
    before = {"first": rng.normal(0.0, 1.0, 8_000), "second": rng.normal(0.2, 1.0, 8_000)}
    after = {"first": rng.normal(0.2, 1.0, 5_000), "second": rng.normal(0.0, 1.0, 5_000)}
    assert [f for f in quality(before, after) if f.check == "data_quality.swapped"] == []


@pytest.mark.parametrize("fault", ["mixed", "swapped"])
def test_the_cause_is_the_data(fault: str) -> None:
    rng = np.random.default_rng(5)

    def scored(n: int) -> pl.DataFrame:
        values = table(rng, n)
        line = (np.log(values["income"]) - 11.0) * 2.0 - values["late"]
        probability = 1.0 / (1.0 + np.exp(-line))
        label = (rng.random(n) < probability).astype(int)
        return pl.DataFrame({**values, "p": probability, "y": label})

    before, after = scored(8_000), scored(6_000)
    if fault == "swapped":
        after = after.with_columns(income=pl.col("debt"), debt=pl.col("income"))
    else:
        after = after.with_columns(
            income=pl.when(pl.int_range(pl.len()) % 2 == 0).then("income").otherwise(pl.col("income") / 1_000)
        )
    # The model scores what it is given.
    line = (after["income"].log() - 11.0) * 2.0 - after["late"]
    after = after.with_columns(p=1.0 / (1.0 + (-line).exp()))
    found = compare(before, after, label="y", score="p")
    assert found.cause is not None
    assert found.cause.verdict is Verdict.QUALITY
