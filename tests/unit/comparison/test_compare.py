import gzip
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import RandomForestClassifier

import loanwatch
from loanwatch.contract import default_contract, parse_contract
from loanwatch.errors import SourceError
from loanwatch.monitoring import Severity, Status
from loanwatch.simulator import (
    CorrelationFlip,
    FeatureShift,
    MissingShift,
    MixShift,
    simulate_features,
)

ROLES = {"label": "label", "score": "probability", "time": "application_time"}


@pytest.fixture(scope="module")
def reference():
    return simulate_features(15_000, seed=100)


@pytest.fixture(scope="module")
def quiet():
    return simulate_features(6_700, seed=101)


def as_pandas(frame):
    return frame.to_pandas()


@pytest.mark.parametrize(
    "form",
    [lambda f: f, pl.DataFrame.lazy, as_pandas, pl.DataFrame.to_arrow],
    ids=["polars", "lazy", "pandas", "arrow"],
)
def test_frames_of_any_kind_give_the_same_verdicts(reference, quiet, form):
    found = loanwatch.compare(form(reference), form(quiet), **ROLES)
    expected = loanwatch.compare(reference, quiet, **ROLES)
    assert found.to_dict() == expected.to_dict()


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_files_give_the_same_verdicts_as_frames(reference, quiet, ending, tmp_path):
    paths = []
    for name, frame in (("before", reference), ("after", quiet)):
        path = tmp_path / f"{name}.{ending}"
        if ending == "parquet":
            frame.write_parquet(path)
        else:
            text = frame.write_csv().encode()
            path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
        paths.append(path)
    found = loanwatch.compare(*paths, **ROLES)
    expected = loanwatch.compare(reference, quiet, **ROLES)
    assert (found.reference, found.current) == (f"before.{ending}", f"after.{ending}")
    for name, change in expected.reports["data_drift"].measurements.items():
        again = found.reports["data_drift"].measurements[name]
        assert [m.value for m in again] == pytest.approx([m.value for m in change])


@pytest.mark.parametrize(
    ("event", "columns"),
    [
        (FeatureShift(column="annual_income", factor=1.10), {"annual_income"}),
        (MixShift(column="purpose", category="debt consolidation", points=-5.0), {"purpose"}),
        (MissingShift(column="monthly_debt", rate=0.42), {"monthly_debt"}),
        (CorrelationFlip(column_a="annual_income", column_b="monthly_debt"), {"annual_income", "monthly_debt"}),
    ],
    ids=["income", "purpose", "missing", "correlation"],
)
def test_what_was_planted_is_named_without_a_contract(reference, event, columns):
    found = loanwatch.compare(reference, simulate_features(6_700, seed=7, events=[event]), time="application_time")
    moved = {f.subject for f in found.findings} - {"label", "probability"}
    assert moved
    assert moved <= columns


def test_a_large_change_is_drift_and_told_in_words_and_on_a_page(reference):
    moved = simulate_features(6_700, seed=8, events=[FeatureShift(column="credit_score", offset=-20.0)])
    found = loanwatch.compare(reference, moved, **ROLES)
    assert (found.drifted, found.severity) == (True, Severity.HIGH)
    first = found.findings[0]
    assert (first.subject, first.severity) == ("credit_score", Severity.HIGH)
    assert "fell: median" in first.sentence
    page = found.to_html()
    assert first.sentence.split(" (")[0] in page
    assert "Features moved" in page
    assert len(page) < 500_000


def test_labels_and_scores_are_judged(reference, quiet):
    flipped = quiet.with_columns(label=pl.when(pl.col("credit_score") > 735).then(~pl.col("label")).otherwise("label"))
    found = loanwatch.compare(reference, flipped, **ROLES)
    assert found.reports["model_drift"].severity >= Severity.MEDIUM
    assert found.reports["concept_drift"].severity >= Severity.MEDIUM


def test_a_changed_relation_without_times_is_found_and_not_dated(reference, quiet):
    flipped = quiet.with_columns(label=pl.when(pl.col("credit_score") > 735).then(~pl.col("label")).otherwise("label"))
    found = loanwatch.compare(reference, flipped, label="label", score="probability")
    report = found.reports["concept_drift"]
    assert report.severity >= Severity.MEDIUM
    assert report.details["since"] is None
    assert "1970" not in json.dumps(report.to_dict())


def test_a_contract_says_what_columns_mean(reference):
    contract = default_contract()
    raw = reference.with_columns(
        pl.when(pl.int_range(pl.len()) < 400)
        .then(99_999_999.0)
        .otherwise("current_loan_amount")
        .alias("current_loan_amount")
    )
    found = loanwatch.compare(reference, raw, contract=contract)
    measured = {m.name: m.value for m in found.reports["data_drift"].measurements["current_loan_amount"]}
    assert measured["missing_rate_change"] > 0.02
    assert "current_credit_balance_ratio" in found.reports["data_drift"].measurements


def test_reliance_weighs_what_moved(reference):
    moved = simulate_features(6_700, seed=8, events=[FeatureShift(column="credit_score", offset=-3.0)])
    severities = []
    for share in (0.9, 0.001):
        others = dict.fromkeys(reference.columns[:20], (1 - share) / 19)
        found = loanwatch.compare(reference, moved, importance=others | {"credit_score": share})
        severities.append(max(f.severity for f in found.findings if f.subject == "credit_score"))
    assert severities[0] > severities[1]


def test_a_table_longer_than_a_sample_is_counted_whole(tmp_path):
    rng = np.random.default_rng(0)
    rows = 450_000
    frame = pl.DataFrame({"x": rng.normal(size=rows), "g": rng.choice(["a", "b"], rows)})
    path = tmp_path / "long.parquet"
    frame.write_parquet(path)
    shifted = frame.with_columns(pl.col("x") + 0.5)
    found = loanwatch.compare(path, shifted)
    measured = {m.name: m for m in found.reports["data_drift"].measurements["x"]}
    assert measured["psi"].n_reference == measured["psi"].n_current == rows
    assert measured["wasserstein"].value == pytest.approx(0.5, abs=0.002)
    assert not any(f.subject == "g" for f in found.findings)


def test_wide_tables_are_compared_in_groups_of_columns():
    rng = np.random.default_rng(0)
    names = [f"x{i}" for i in range(200)]
    frames = [pl.DataFrame(rng.normal(size=(400, 200)), schema=names) for _ in range(2)]
    frames[1] = frames[1].with_columns(pl.col("x150") + 2.0)
    found = loanwatch.compare(*frames)
    assert [f.subject for f in found.findings] == ["x150"]
    assert set(names) == set(found.reports["data_drift"].measurements) - {"domain_classifier"}


def test_importing_loanwatch_imports_nothing_heavy():
    code = "import sys, loanwatch; print([m for m in ('polars', 'numpy', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_comparison_imports_no_model_library():
    code = (
        "import sys, loanwatch; loanwatch.compare; "
        "print([m for m in ('sklearn', 'onnx', 'scipy.stats', 'pandas', 'pyarrow', 'psycopg') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def scored(seed, rows=4_000):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    p = 1.0 / (1.0 + np.exp(-1.5 * x))
    return pl.DataFrame({"x": x, "p": p, "y": rng.random(rows) < p})


@pytest.mark.parametrize(
    "change", [lambda p: np.roll(p, 1), lambda p: 0.3 * p], ids=["off by one row", "another scale"]
)
def test_scores_that_no_longer_belong_to_the_rows_are_the_cause(change):
    now = scored(1)
    broken = now.with_columns(p=pl.Series(change(now["p"].to_numpy())))
    found = loanwatch.compare(scored(0), broken, label="y", score="p")
    assert found.drifted
    assert found.cause.verdict == "score"
    assert "whether they belong to these rows" in found.cause.sentence
    page = found.to_html()
    assert found.cause.sentence.split(",")[0] in page
    assert "Look first whether the scores belong to these rows" in page
    assert "Train on rows after the change" not in page
    assert not found.cause.relation


def test_scores_that_follow_many_small_moves_of_the_features_are_not_called_others():
    def table(seed, shift):
        rng = np.random.default_rng(seed)
        x = rng.normal(shift, 1.0, (8_000, 12))
        p = 1.0 / (1.0 + np.exp(-0.6 * x.sum(axis=1)))
        names = {f"x{i}": x[:, i] for i in range(12)}
        return pl.DataFrame({**names, "p": p, "y": rng.random(8_000) < p})

    found = loanwatch.compare(table(0, 0.0), table(1, 0.2), label="y", score="p")
    moved = {f.subject: f.severity for f in found.reports["data_drift"].findings}
    assert moved["score"] >= Severity.MEDIUM > max(level for name, level in moved.items() if name.startswith("x"))
    assert found.cause.verdict != "score"


def test_labels_of_one_class_are_not_called_missing():
    found = loanwatch.compare(scored(0), scored(1).with_columns(y=pl.lit(value=True)), label="y", score="p")
    assert "all its known labels are of one class" in found.cause.sentence


@pytest.mark.parametrize("dtype", [pl.Int64, pl.String, pl.Float64])
def test_true_in_one_table_is_one_in_the_other(dtype):
    now = scored(1).with_columns(pl.col("y").cast(pl.Int64).cast(dtype))
    found = loanwatch.compare(scored(0), now, label="y", score="p")
    assert not found.drifted
    assert found.reports["model_drift"].measurements["current"]


@pytest.mark.parametrize("columns", [("y", "p"), ("id", "y", "p")])
def test_label_and_score_alone_can_be_judged(columns):
    before, now = (
        scored(s).with_columns(id=pl.Series([f"{s}-{i}" for i in range(4_000)])).select(columns) for s in (0, 1)
    )
    found = loanwatch.compare(before, now, label="y", score="p")
    assert not found.drifted
    assert "AUC" in found.reports["model_drift"].summary
    turned = loanwatch.compare(before, now.with_columns(p=1.0 - pl.col("p")), label="y", score="p")
    assert turned.reports["model_drift"].severity >= Severity.HIGH
    assert turned.to_html()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, "big", None])
def test_an_importance_that_is_no_number_names_the_column(value):
    with pytest.raises(SourceError, match="importance of x"):
        loanwatch.compare(scored(0), scored(1), importance={"x": value})


def test_an_importance_that_no_column_has_is_said_not_to_be_used():
    found = loanwatch.compare(scored(0), scored(1), importance={"X": 1.0})
    assert any("importance of X is not used" in line for line in found.limitations)


def test_an_empty_path_is_no_folder():
    with pytest.raises(SourceError, match="current: the path is empty"):
        loanwatch.compare(scored(0), "")


@pytest.mark.parametrize("dtype", [pl.String, pl.Int64])
def test_days_written_as_numbers_are_times(dtype):
    def days(year):
        day = pl.date_range(pl.date(year, 1, 1), pl.date(year, 12, 31), eager=True).dt.strftime("%Y%m%d")
        return pl.DataFrame({"day": day.cast(dtype), "x": np.random.default_rng(year).normal(size=day.len())})

    found = loanwatch.compare(days(2023), days(2022))
    assert not found.drifted
    assert any("day is not compared: it holds days" in line for line in found.limitations)
    amounts = [pl.DataFrame({"amount": np.random.default_rng(s).integers(20_000_000, 20_990_000, 500)}) for s in (0, 1)]
    assert not any("holds days" in line for line in loanwatch.compare(*amounts).limitations)


def test_labels_that_the_contract_does_not_know_are_named():
    text = (Path(__file__).parents[2] / "small_contract.toml").read_text(encoding="utf-8")
    small_contract = parse_contract(tomllib.loads(text))

    def table(seed, words):
        rng = np.random.default_rng(seed)
        return pl.DataFrame(
            {
                "id": [f"{seed}-{i}" for i in range(900)],
                "outcome": [words[i % len(words)] for i in range(900)],
                "income": rng.normal(size=900),
                "p": rng.uniform(0.2, 0.8, 900),
            }
        )

    known = table(0, ["YES", " no", None, ""])
    for words, told in ((["given", "refused"], "900 of 900"), (["yes", "no", "paid"], "300 of 900")):
        current = table(1, words)
        found = loanwatch.compare(known, current, contract=small_contract, score="p")
        assert any(f"outcome: {told} labels looked at in the current table" in line for line in found.limitations)
        assert not any("labels looked at in the reference" in line for line in found.limitations)


def fitted(model, seed, rows=4_000, seen=None):
    """Score rows with a model that learnt from those of `seen`."""

    def drawn(at):
        rng = np.random.default_rng(at)
        features = rng.normal(size=(rows, 6))
        effect = 0.8 * features[:, 0] + 0.5 * features[:, 1] * features[:, 2] - 0.5
        return features, rng.random(rows) < 1 / (1 + np.exp(-effect))

    learnt, (features, label) = model.fit(*drawn(seen)), drawn(seed)
    named = {f"x{i}": features[:, i] for i in range(6)}
    return pl.DataFrame(named | {"y": label.astype(int), "p": learnt.predict_proba(features)[:, 1]})


@pytest.mark.parametrize("rows_in_a_leaf", [1, 10])
def test_a_reference_that_the_model_was_trained_on_is_doubted(rows_in_a_leaf):
    model = RandomForestClassifier(60, min_samples_leaf=rows_in_a_leaf, random_state=0)
    current = fitted(model, 2, seen=1)
    seen = loanwatch.compare(fitted(model, 1, seen=1), current, label="y", score="p")
    assert "was not trained on these rows" in seen.cause.sentence
    assert any("was not trained on these rows" in line for line in seen.reports["model_drift"].limitations)
    unseen = loanwatch.compare(fitted(model, 3, seen=1), current, label="y", score="p")
    assert not unseen.drifted
    assert unseen.reports["model_drift"].limitations == ()


def test_scores_of_the_other_label_are_doubted():
    other = [scored(seed).with_columns(p=1 - pl.col("p")) for seed in (1, 2)]
    found = loanwatch.compare(*other, label="y", score="p")
    assert any("the wrong way round" in line for line in found.reports["model_drift"].limitations)


def test_a_score_beyond_one_by_rounding_is_one():
    first, second = scored(1), scored(2)
    rounded = second.with_columns(p=pl.when(pl.int_range(pl.len()) < 3).then(1.0000001).otherwise(pl.col("p")))
    found = loanwatch.compare(first, rounded, label="y", score="p")
    assert found.reports["model_drift"].status is not Status.SKIPPED
    beyond = second.with_columns(p=pl.when(pl.int_range(pl.len()) < 3).then(1.5).otherwise(pl.col("p")))
    told = loanwatch.compare(first, beyond, label="y", score="p").limitations
    assert any(line.startswith("p holds 3 of 8,000 values outside [0, 1], as 1.5: ") for line in told)


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64])
def test_a_flag_may_be_true_in_one_table_and_1_in_the_other(dtype):
    draws = [np.random.default_rng(seed).random(2_000) < 0.3 for seed in (0, 1)]
    flags, numbers = pl.DataFrame({"flag": draws[0]}), pl.DataFrame({"flag": pl.Series(draws[1]).cast(dtype)})
    assert loanwatch.compare(flags, numbers).findings == loanwatch.compare(numbers, flags).findings == ()
    assert loanwatch.compare(flags, numbers.select(1 - pl.col("flag"))).drifted


def test_not_known_is_no_third_label():
    words = pl.when("y").then(pl.lit("paid")).otherwise(pl.lit("lost"))
    first, second = (scored(seed).with_columns(y=words) for seed in (1, 2))
    second = second.with_columns(y=pl.when(pl.int_range(pl.len()) % 9 == 0).then(pl.lit("N/A")).otherwise(pl.col("y")))
    found = loanwatch.compare(first, second, label="y", score="p")
    assert not found.drifted
    assert found.reports["model_drift"].status is not Status.SKIPPED


def test_one_row_is_not_said_not_to_have_moved(reference):
    found = loanwatch.compare(reference, reference.head(1))
    assert "too few values" in found.reports["data_drift"].summary


@pytest.mark.parametrize(
    ("scores", "words"), [(pl.col("p") * 100, "lie between"), (pl.lit(None, dtype=pl.Float64), "are all missing")]
)
def test_scores_that_are_no_probabilities_any_more_are_the_cause(scores, words):
    found = loanwatch.compare(scored(1), scored(2).with_columns(p=scores), label="y", score="p")
    assert found.cause.verdict.value == "score"
    assert words in found.cause.sentence
    percents = [scored(seed).with_columns(p=pl.col("p") * 100) for seed in (1, 2)]
    assert loanwatch.compare(*percents, label="y", score="p").cause is None
