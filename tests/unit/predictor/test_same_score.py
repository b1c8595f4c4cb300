"""Whichever way an application takes, it gets the score that training would have given it."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loanwatch.contract import Column, Kind, default_contract
from loanwatch.features import clean, engineer
from loanwatch.predictor.batch import predict_file
from loanwatch.predictor.requests import RequestReader
from loanwatch.predictor.scorer import rows_frame

CONTRACT = default_contract()
PREDICTORS = [c for c in CONTRACT.columns if c.predictor]
READER = RequestReader(CONTRACT, max_rows=100)
TOLERANCE = 1e-6
WORDS = st.sampled_from(
    ["short term", "Long Term ", "rent", "HaveMortgage", "10+ years", "n/a", "", "moon flight", "ÄÖ", '"a, b"']
)


def numbers_of(column: Column) -> st.SearchStrategy[Any]:
    """Numbers in the range, on its ends, the sentinels, and what the repair of tenfold values takes."""
    low, high = column.minimum or 0.0, column.maximum or 1e9
    numbers = st.floats(low, high) | st.integers(math.ceil(low), math.floor(high))
    edges = [low, high, np.nextafter(low, high).item(), np.nextafter(high, low).item(), *column.sentinels]
    if column.tenfold:
        numbers |= st.floats(10 * low, 10 * high)
        edges += [10 * low, 10 * high]
    numbers |= st.sampled_from(edges)
    if column.stored_as == "text":
        numbers |= st.integers(0, 9_999_999).map(lambda n: f"${n:,}.50") | st.just(" ") | st.just(f"{high:.0f}")
    return numbers


def values_of(column: Column) -> st.SearchStrategy[Any]:
    """Everything that a request may hold in a column."""
    if column.kind is Kind.NUMERIC:
        return st.none() | numbers_of(column)
    strange = st.text(st.characters(exclude_characters="\0\r", exclude_categories=("Cs",)), max_size=20)
    return st.none() | st.sampled_from(column.order or ("debt consolidation",)) | WORDS | strange


APPLICATIONS = st.lists(
    st.fixed_dictionaries({"loan_id": st.uuids().map(str)}, optional={c.name: values_of(c) for c in PREDICTORS}),
    min_size=1,
    max_size=12,
    unique_by=lambda row: row["loan_id"],
)


def source_frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """The applications as an extract holds them: numbers as numbers, but for the columns that are text."""
    return pl.DataFrame(
        {
            c.name: pl.Series([r.get(c.name) for r in rows], dtype=pl.Float64, strict=False)
            if c.kind is Kind.NUMERIC and c.stored_as != "text"
            else pl.Series([None if r.get(c.name) is None else str(r[c.name]) for r in rows], dtype=pl.String)
            for c in CONTRACT.columns
        }
    )


def of_the_estimator(estimator: Any, model: Any, frame: pl.DataFrame) -> np.ndarray:
    """What scikit-learn says, which the exported graph must repeat, calibrated."""
    return model.calibrator.apply(estimator.predict_proba(model.preprocessor.transform(frame))[:, 1])


EXAMPLES = [40, pytest.param(1_000, marks=pytest.mark.deep)]


@pytest.mark.parametrize("examples", EXAMPLES)
def test_online_one_by_one_and_together_and_in_training_it_is_the_same(examples, scorer, estimator):
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rows=APPLICATIONS)
    def is_the_same(rows):
        asked = READER.read(json.dumps(rows).encode())
        ready = engineer(clean(source_frame(rows), CONTRACT).frame, CONTRACT)
        expected = of_the_estimator(estimator, scorer.model, ready)
        assert scorer.model.score(ready) == pytest.approx(expected, abs=TOLERANCE)
        assert scorer.score(asked).probability == pytest.approx(expected, abs=TOLERANCE)
        assert [scorer.score([row]).probability[0] for row in asked] == pytest.approx(expected, abs=TOLERANCE)
        as_frame = scorer._score_frame(rows_frame(asked, CONTRACT), explain=False)
        assert as_frame.probability == pytest.approx(expected, abs=TOLERANCE)

    is_the_same()


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize("examples", [15, pytest.param(300, marks=pytest.mark.deep)])
def test_from_a_file_it_is_the_same(examples, kind, scorer, tmp_path):
    source, output = tmp_path / f"in.{kind}", tmp_path / "out.parquet"

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rows=APPLICATIONS)
    def is_the_same(rows):
        frame = source_frame(rows)
        frame.write_parquet(source) if kind == "parquet" else frame.write_csv(source, quote_style="non_numeric")
        predict_file(scorer, source, output=output, database=None)
        found = pl.read_parquet(output)
        assert found["loan_id"].to_list() == [row["loan_id"] for row in rows]
        assert found["probability"].to_numpy() == pytest.approx(scorer.score(rows).probability, abs=TOLERANCE)

    is_the_same()
