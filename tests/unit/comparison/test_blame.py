"""Who is to blame is the same on terminal, page and in JSON, and never the model for what the tables are."""

import numpy as np
import polars as pl
import pytest

import loanwatch
from loanwatch.comparison import TableComparison
from loanwatch.monitoring import Severity
from loanwatch.monitoring.cause import Verdict

ROWS = 4_000


def scored(seed: int, rows: int = ROWS) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    income, channel = rng.lognormal(10.0, 0.5, rows), rng.choice(["web", "store", "app"], rows, p=[0.5, 0.3, 0.2])
    probability = 1.0 / (1.0 + np.exp(-(1.5 * (np.log(income) - 10.0) - 1.0 + 0.3 * (channel == "web"))))
    return pl.DataFrame(
        {
            "income": income,
            "debt": rng.gamma(2.0, 300.0, rows),
            "channel": channel,
            "bad": (rng.random(rows) < probability).astype(int),
            "pd": probability,
        }
    )


REFERENCE = scored(1, 6_000)


def compared(current: pl.DataFrame) -> TableComparison:
    return loanwatch.compare(REFERENCE, current, label="bad", score="pd")


@pytest.mark.parametrize(
    "change",
    [
        pl.DataFrame({"channel": ["web", "store", "app"], "code": [1, 2, 3]}),
        pl.DataFrame({"channel": ["web", "store", "app"], "code": ["W1", "S1", "A1"]}),
        None,
    ],
    ids=["numbers for categories", "other categories", "lost"],
)
def test_a_column_that_is_lost_or_recoded_is_a_fault_of_the_data(change: pl.DataFrame | None) -> None:
    table = scored(2)
    if change is None:
        table = table.drop("channel")
    else:
        table = table.join(change, on="channel").with_columns(channel="code").drop("code")
    found = compared(table)
    page = found.to_html()
    assert found.cause is not None
    assert (found.cause.verdict, found.cause.retrain, found.drifted) == (Verdict.QUALITY, False, True)
    assert "The current table cannot be trusted" in page
    assert "Train on rows after the change" not in page


def test_scores_that_are_no_probabilities_any_more_are_drift() -> None:
    odd = scored(3).with_columns(pd=pl.when(pl.int_range(pl.len()) % 16 == 0).then(1.7).otherwise("pd"))
    found = compared(odd)
    assert found.severity is Severity.HIGH
    assert found.cause is not None
    assert found.cause.verdict is Verdict.SCORE
    assert "1.7" in found.findings[0].sentence
    assert "No drift" not in found.to_html()


def test_labels_coded_the_other_way_are_doubted_before_anything_is_retrained() -> None:
    found = compared(scored(4).with_columns(bad=1 - pl.col("bad")))
    assert found.cause is not None
    assert "coded the other way" in found.cause.sentence


def test_scores_far_too_high_are_not_called_calibrated() -> None:
    # The model was made for incomes above 0 and scores all others alike.
    odd = scored(5).with_columns(income=-pl.col("income"), pd=pl.lit(0.45))
    found = compared(odd)
    assert found.cause is not None
    assert "still calibrated" not in found.cause.sentence


@pytest.mark.parametrize("rows", [1, 2, 19])
def test_too_few_rows_are_not_passed(rows: int) -> None:
    found = loanwatch.compare(REFERENCE.drop("bad", "pd"), scored(6, rows).drop("bad", "pd"))
    assert not found.judged
    assert "could not be compared" in found.to_html()


def test_copies_are_asked_about_at_the_source() -> None:
    table = scored(7)
    found = compared(pl.concat([table, table.head(800)]))
    assert "Ask the source of the current table" in found.to_html()


def test_an_old_feed_is_known_again_under_new_numbers_and_dates() -> None:
    def dated(table: pl.DataFrame, first_id: int, day: str) -> pl.DataFrame:
        number = pl.int_range(first_id, first_id + pl.len()).cast(pl.String)
        return table.with_columns(application_id=pl.lit("A-") + number, applied=pl.lit(day).str.to_date())

    old = dated(REFERENCE, 0, "2024-01-15")
    for current, is_old in (
        (dated(REFERENCE, 90_000, "2024-02-15"), True),
        (dated(scored(8), 90_000, "2024-02-15"), False),
    ):
        found = loanwatch.compare(old, current, label="bad", score="pd", time="applied")
        told = [line for r in found.reports.values() for line in r.limitations]
        assert any("look whether the feed was renewed" in line for line in told) == is_old


@pytest.mark.parametrize(("moved", "told"), [(True, 0), (False, 1)], ids=["column moved", "code"])
def test_a_code_stands_alone_beyond_the_reference(moved: bool, told: int) -> None:
    rng = np.random.default_rng(9)
    months = rng.integers(1, 72, 6_000).astype(float)
    now = rng.integers(1, 72, 4_000).astype(float)
    now = now * 3.0 if moved else np.where(rng.random(4_000) < 0.12, 500.0, now)
    found = loanwatch.compare(pl.DataFrame({"tenure": months}), pl.DataFrame({"tenure": now}))
    assert len([f for f in found.findings if f.check == "data_quality.foreign_value"]) == told
