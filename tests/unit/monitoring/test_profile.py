import json
import math
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from loanwatch.contract import default_contract, parse_contract
from loanwatch.monitoring import Profile, profile_by_day, profile_window
from loanwatch.monitoring.profile import merge_profiles, pack, summary_of, unpack
from loanwatch.statistics import g_test, kolmogorov_smirnov, wasserstein

CONTRACT = parse_contract(tomllib.loads((Path(__file__).parents[2] / "small_contract.toml").read_text()))

ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-5, 5).map(float), st.floats(-1e6, 1e6)),
        st.one_of(st.none(), st.integers(0, 3).map(float)),
        st.one_of(st.none(), st.sampled_from(["rome", "oslo", "bern", "lima", ""]), st.text(max_size=3)),
        st.one_of(st.none(), st.integers(0, 5)),
    ),
    max_size=40,
)


def frame_of(rows):
    days = [None if day is None else datetime(2024, 1, 1 + day, 12, tzinfo=UTC) for *_, day in rows]
    return pl.DataFrame(
        {
            "income": pl.Series([r[0] for r in rows], dtype=pl.Float64),
            "debt": pl.Series([r[1] for r in rows], dtype=pl.Float64),
            "town": pl.Series([r[2] for r in rows], dtype=pl.String),
            "at": pl.Series(days, dtype=pl.Datetime("us", "UTC")),
        }
    )


def exact_part(profile):
    """Everything that is a count or an extreme: what merging must reproduce to the last digit."""
    values = profile.to_dict()
    values.pop("moments")
    for column in [*values["columns"].values(), values["score"] or {}]:
        column.pop("sums_centred", None)
        column.pop("squares_centred", None)
        column["others"] = dict(sorted(column.get("others", {}).items()))
    return values


def profiled(rows, edges=None):
    frame = frame_of(rows)
    scores, labels = np.linspace(0.1, 0.9, len(rows)), np.arange(len(rows)) % 2
    return profile_window(frame, CONTRACT, edges=edges, probability=scores, label=labels)


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS, ROWS)
def test_merging_is_associative_and_commutative_and_starts_from_nothing(a, b, c):
    edges = profiled(a + b).edges
    first, second, third = (profiled(rows, edges) for rows in (a, b, c))
    assert exact_part(first.merge(second).merge(third)) == exact_part(first.merge(second.merge(third)))
    assert exact_part(first.merge(second)) == exact_part(second.merge(first))
    assert exact_part(first.merge(profiled([], edges))) == exact_part(first)


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS)
def test_merged_parts_equal_the_profile_of_the_whole(a, b):
    frame = frame_of(a + b)
    whole = profile_window(frame, CONTRACT)
    parts = [profile_window(part, CONTRACT, edges=whole.edges) for part in (frame[: len(a)], frame[len(a) :])]
    merged = parts[0].merge(parts[1])
    assert exact_part(merged) == exact_part(whole)
    assert merged.columns["income"].sum_centred == pytest.approx(whole.columns["income"].sum_centred, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_a_profile_survives_json(rows):
    profile = profiled(rows)
    assert Profile.from_dict(json.loads(json.dumps(profile.to_dict()))).to_dict() == profile.to_dict()


def test_days_merge_to_the_window():
    rng = np.random.default_rng(1)
    rows = [(float(rng.normal()), float(rng.integers(0, 3)), "rome", int(rng.integers(0, 6))) for _ in range(200)]
    frame = frame_of(rows)
    whole = profile_window(frame, CONTRACT)
    by_day = profile_by_day(frame, CONTRACT, edges=whole.edges)
    assert sorted(by_day) == [date(2024, 1, 1 + day) for day in range(6)]
    merged, *rest = by_day.values()
    for profile in rest:
        merged = merged.merge(profile)
    assert exact_part(merged) == exact_part(whole)
    assert merged.dates == tuple(day.isoformat() for day in sorted(by_day))


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.lognormal(11, 0.6, n),
        lambda rng, n: rng.normal(0, 1, n),
        lambda rng, n: rng.standard_t(4, n),
        lambda rng, n: rng.standard_t(2, n),
        lambda rng, n: rng.poisson(11, n).astype(float),
        lambda rng, n: np.where(rng.random(n) < 0.4, 0.0, rng.exponential(500, n)),
        lambda rng, n: np.round(rng.lognormal(8, 1, n), -2),
    ],
    ids=["lognormal", "normal", "heavy tails", "tails without a variance", "counts", "many zeros", "rounded"],
)
@pytest.mark.parametrize("factor", [1.0, 1.02, 1.1])
def test_distances_from_bins_are_within_two_thousandths_of_exact(draw, factor):
    rng = np.random.default_rng(4)
    first, second = draw(rng, 15_000), draw(rng, 6_700) * factor
    reference = profile_window(pl.DataFrame({"income": first}), CONTRACT)
    current = profile_window(pl.DataFrame({"income": second}), CONTRACT, edges=reference.edges)
    a, b = reference.columns["income"], current.columns["income"]
    ks = kolmogorov_smirnov(a.counts, b.counts).distance
    assert ks == pytest.approx(stats.ks_2samp(first, second).statistic, abs=0.002)
    distance = wasserstein(
        a.counts,
        b.counts,
        a.boundaries(b) - a.edges.centre,
        scale=first.std(ddof=1),
        sums=(a.sums_centred, b.sums_centred),
    )
    exact = stats.wasserstein_distance(first, second) / first.std(ddof=1)
    assert distance == pytest.approx(exact, abs=0.002)
    for p in (0.1, 0.5, 0.9):
        tolerance = 0.002 * first.std()
        assert a.quantile(p) == pytest.approx(np.quantile(first, p, method="inverted_cdf"), abs=max(tolerance, 1e-9))


def test_mean_and_deviation_are_those_of_the_values_even_far_from_zero():
    values = np.random.default_rng(2).normal(1e9, 1.0, 1_000)
    column = profile_window(pl.DataFrame({"income": values}), CONTRACT).columns["income"]
    assert column.mean == pytest.approx(values.mean(), rel=1e-12)
    assert column.standard_deviation == pytest.approx(values.std(ddof=1), rel=1e-6)


def test_correlations_take_no_more_rows_than_asked_for_from_all_over_the_window():
    x = np.arange(20_000.0)
    frame = pl.DataFrame({"income": x, "debt": np.where(x < 10_000, np.nan, x)}, nan_to_null=True)
    for asked in (1_000, 16_384, 30_000):
        moments = profile_window(frame, CONTRACT, correlated_rows=asked).moments
        taken = min(asked, 20_000)
        assert moments.rows[0, 0] == taken
        assert moments.rows[0, 1] == pytest.approx(taken / 2, abs=1)


def test_correlations_are_those_of_the_normal_scores():
    rng = np.random.default_rng(3)
    x, y = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 20_000).T
    y[:2_000] = np.nan
    frame = pl.DataFrame({"income": np.exp(x), "debt": y}, nan_to_null=True)
    moments = profile_window(frame, CONTRACT, correlated_rows=20_000).moments
    assert moments.rows[0, 1] == 18_000
    assert moments.correlations[0, 1] == pytest.approx(np.corrcoef(x[2_000:], y[2_000:])[0, 1], abs=0.003)
    assert moments.kurtosis_factors[0, 1] == pytest.approx(1.0, abs=0.08)
    assert moments.kurtosis[0, 1] == pytest.approx(3.0, abs=0.2)


def test_why_a_value_is_absent_is_counted_apart():
    frame = pl.DataFrame({"income": [None, None, None, None, 5.0], "town": ["rome", None, "oslo", "rome", None]})
    issues = pl.DataFrame(
        {"income": ["sentinel", "out_of_range", "unreadable", None, "rescaled"]},
        schema={"income": pl.Enum(["sentinel", "out_of_range", "unreadable", "rescaled", "respelled"])},
    )
    columns = profile_window(frame, CONTRACT, issues=issues).columns
    assert columns["income"].absent.tolist() == [1, 1, 1, 1]
    assert (columns["income"].missing, columns["income"].present, columns["income"].repaired) == (4, 1, 1)
    assert columns["town"].absent.tolist() == [2, 0, 0, 0]


def test_values_that_the_reference_never_held_have_a_group_of_their_own():
    reference = profile_window(pl.DataFrame({"income": [1.0, 2.0, 4.0]}), CONTRACT)
    current = profile_window(pl.DataFrame({"income": [0.0, 1.0, 3.0, 9.0]}), CONTRACT, edges=reference.edges)
    assert current.columns["income"].value_groups.tolist() == [1, 0, 0, 3]


def test_whole_numbers_of_a_small_reference_do_not_drift_by_themselves():
    """Gaps between the values of a sample are no values of their own: p-values stay uniform."""
    rng = np.random.default_rng(8)
    p_values = []
    for _ in range(200):
        first, second = (np.round(rng.lognormal(8, 0.6, n)) for n in (2_000, 4_400))
        reference = profile_window(pl.DataFrame({"income": first}), CONTRACT)
        current = profile_window(pl.DataFrame({"income": second}), CONTRACT, edges=reference.edges)
        groups = reference.columns["income"].value_groups, current.columns["income"].value_groups
        p_values.append(g_test(*groups).p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert min(p_values) > 1e-4


def test_new_categories_are_counted_by_name_up_to_a_fixed_sample():
    reference = profile_window(pl.DataFrame({"town": ["rome"] * 10}), CONTRACT)
    towns = ["rome"] * 5 + [f"town {i}" for i in range(100_000)] + ["oslo"] * 7
    current = profile_window(pl.DataFrame({"town": towns}), CONTRACT, edges=reference.edges).columns["town"]
    assert current.counts.tolist() == [5, 100_007]
    assert len(current.others) == 50
    few = profile_window(pl.DataFrame({"town": ["oslo"] * 7 + ["rome"]}), CONTRACT, edges=reference.edges)
    assert few.columns["town"].unseen(reference.columns["town"]) == {"oslo": 7}


@pytest.mark.parametrize("values", [[], [None, None], [math.nan, math.inf, -math.inf], [3.0, 3.0], [1.0]])
def test_a_column_with_little_in_it_is_profiled(values):
    column = profile_window(pl.DataFrame({"income": pl.Series(values, dtype=pl.Float64)}), CONTRACT).columns["income"]
    assert column.rows == len(values)
    assert column.present == sum(v is not None and math.isfinite(v) for v in values)
    assert column.merge(column).rows == 2 * len(values)


def test_columns_that_the_window_lacks_are_listed():
    profile = profile_window(pl.DataFrame({"income": [1.0]}), CONTRACT)
    assert profile.unprofiled == ("debt", "town")


def test_profiles_over_different_bins_are_not_merged():
    profiles = [profile_window(pl.DataFrame({"income": [x, 2.0]}), CONTRACT) for x in (1.0, 5.0)]
    with pytest.raises(ValueError, match=r"column income: .* different bins"):
        profiles[0].merge(profiles[1])


@pytest.mark.parametrize("option", ["probability", "label"])
def test_outputs_of_another_height_are_refused(option):
    with pytest.raises(ValueError, match=f"{option} has 3 rows, the window 1"):
        profile_window(pl.DataFrame({"income": [1.0]}), CONTRACT, **{option: np.zeros(3)})


def test_the_loan_contract_profiles_its_twenty_predictors():
    contract = default_contract()
    empty = pl.DataFrame(schema={c.name: pl.Float64 for c in contract.predictors})
    assert len(profile_window(empty, contract).columns) == 20


def sentinels(rng, n):
    values = rng.lognormal(10, 1, n)
    return np.where(rng.random(n) < 0.07, 999_999_999.0, np.where(rng.random(n) < 0.03, -1.0, values))


HOSTILE = {
    "log-normal with a tail of orders of magnitude": lambda rng, n: rng.lognormal(8, 3, n),
    "Pareto without a mean": lambda rng, n: rng.pareto(0.9, n),
    "Cauchy": lambda rng, n: rng.standard_cauchy(n),
    "two far humps": lambda rng, n: np.where(rng.random(n) < 0.5, rng.normal(0, 1, n), rng.normal(1e4, 1, n)),
    "a spike in a wide range": lambda rng, n: np.where(rng.random(n) < 0.9, 600.0, rng.uniform(0, 1e6, n)),
    "sentinels far away": sentinels,
    "ties at many values": lambda rng, n: np.round(rng.normal(0, 3, n), 1),
    "few values": lambda rng, n: rng.choice([0.0, 12.0, 36.0, 60.0], n, p=[0.1, 0.4, 0.4, 0.1]),
    "half of them zero, the others tiny": lambda rng, n: np.where(rng.random(n) < 0.5, 0.0, rng.exponential(1e-9, n)),
    "a step": lambda rng, n: rng.uniform(0, 1, n) ** 20,
}


def moved(values, how):
    if how == "shifted":
        return values + 0.05 * (np.quantile(values, 0.75) - np.quantile(values, 0.25))
    return values * 1.07 if how == "scaled" else values


@pytest.mark.parametrize("how", ["as it was", "shifted", "scaled"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_distances_of_hostile_distributions_are_within_two_thousandths_of_exact_too(kind, how):
    rng = np.random.default_rng(21)
    first, second = HOSTILE[kind](rng, 20_000), moved(HOSTILE[kind](rng, 5_000), how)
    reference = profile_window(pl.DataFrame({"income": first}), CONTRACT)
    days = [
        profile_window(pl.DataFrame({"income": part}), CONTRACT, edges=reference.edges) for part in np.split(second, 5)
    ]
    a, b = reference.columns["income"], merge_profiles(days).columns["income"]
    assert kolmogorov_smirnov(a.counts, b.counts).distance == pytest.approx(
        stats.ks_2samp(first, second, method="asymp").statistic, abs=0.002
    )
    scale = first.std(ddof=1)
    distance = wasserstein(
        a.counts, b.counts, a.boundaries(b) - a.edges.centre, scale=scale, sums=(a.sums_centred, b.sums_centred)
    )
    assert distance == pytest.approx(stats.wasserstein_distance(first, second) / scale, abs=0.002)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_a_packed_profile_comes_back_whole_and_the_same_profile_is_the_same_bytes(rows):
    profile = profiled(rows)
    packed = pack(profile)
    assert unpack(packed, profile.edges).to_dict() == profile.to_dict()
    assert pack(profiled(rows)) == packed
    json.dumps(summary_of(profile), allow_nan=False)


def test_a_packed_profile_of_other_bins_is_refused():
    packed = pack(profiled([(1.0, 0.0, "rome", 0), (2.0, 1.0, "oslo", 1)]))
    with pytest.raises(ValueError, match="other bins"):
        unpack(packed, profiled([(1.0, 0.0, "rome", 0)]).edges)


def test_merging_nothing_gives_nothing():
    assert merge_profiles([]) is None
