"""One application, a batch, and training see the same score."""

import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loanwatch.contract import Kind, default_contract
from loanwatch.errors import ArtifactError
from loanwatch.features import clean, engineer
from loanwatch.predictor.decisions import answers_of, decision_lines
from loanwatch.predictor.requests import RequestReader
from loanwatch.predictor.scorer import Scorer, rows_frame

CONTRACT = default_contract()
WORDS = st.sampled_from(
    ["short term", "Long Term ", "rent", "HaveMortgage", "10+ years", "n/a", "", "moon flight", "ÄÖ"]
)


def values_of(column):
    """Everything that a request may hold in a column."""
    nothing = st.none()
    if column.kind is not Kind.NUMERIC:
        return (
            nothing | WORDS | st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)
        )
    low, high = column.minimum or 0.0, column.maximum or 1e9
    numbers = st.floats(low, high) | st.integers(math.ceil(low), math.floor(high))
    if column.sentinels:
        numbers |= st.sampled_from(column.sentinels)
    if column.tenfold:
        numbers |= st.floats(10 * low, 10 * high)
    if column.stored_as == "text":
        numbers |= st.integers(0, 9_999_999).map(lambda n: f"${n:,}.50") | st.just(" ")
    return nothing | numbers


PREDICTORS = [c for c in CONTRACT.columns if c.predictor]
APPLICATIONS = st.fixed_dictionaries(
    {"loan_id": st.uuids().map(str)}, optional={c.name: values_of(c) for c in PREDICTORS}
)


def as_in_training(scorer, rows):
    """Score rows as training scores a window: through clean, engineer and the fitted model, columns as they come."""
    frame = pl.DataFrame(
        {
            c.name: pl.Series([r.get(c.name) for r in rows], dtype=pl.Float64)
            if c.kind is Kind.NUMERIC and c.stored_as != "text"
            else pl.Series([None if r.get(c.name) is None else str(r[c.name]) for r in rows], dtype=pl.String)
            for c in CONTRACT.columns
        },
        strict=False,
    )
    return scorer.model.score(engineer(clean(frame, CONTRACT).frame, CONTRACT))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(APPLICATIONS, min_size=1, max_size=12, unique_by=lambda row: row["loan_id"]))
def test_one_by_one_and_together_and_in_training_the_score_is_the_same(boosting_scorer, rows):
    checked = RequestReader(CONTRACT, max_rows=100)
    assert [list(checked._errors([row])) for row in rows] == [[] for _ in rows]
    alone = [boosting_scorer.score([row]).probability[0] for row in rows]
    together = boosting_scorer.score(rows).probability
    as_frame = boosting_scorer._score_frame(rows_frame(rows, CONTRACT), explain=False).probability
    assert together == pytest.approx(alone, abs=1e-12)
    assert as_frame == pytest.approx(alone, abs=1e-12)
    assert as_in_training(boosting_scorer, rows) == pytest.approx(alone, abs=1e-6)


def many(applications, count):
    columns = [c.name for c in PREDICTORS]
    return [{"loan_id": f"L{n}", **row} for n, row in enumerate(applications.select(columns).head(count).to_dicts())]


def test_simulated_applications_get_the_score_of_training(scorer, applications):
    rows = many(applications, 300)
    expected = scorer.model.score(applications.head(300))
    assert scorer.score(rows).probability == pytest.approx(expected, abs=1e-6)
    assert [scorer.score([row]).probability[0] for row in rows[:40]] == pytest.approx(expected[:40], abs=1e-6)


@pytest.mark.parametrize("count", [3, 120])
def test_unknown_categories_and_missing_values_are_counted(scorer, applications, count):
    rows = many(applications, count)
    for row in rows:
        row.update(purpose="car", term="short term", annual_income=None, home_ownership="rent")
    rows[1]["purpose"] = "flying to the moon"
    rows[2]["term"] = "for ever"
    rows[2]["purpose"] = "again to the moon"
    for row in rows[3:]:
        row["purpose"] = None
    rows[0]["purpose"] = None
    scored = scorer.score(rows)
    assert {n: sorted(names) for n, names in scored.unknown.items()} == {1: ["purpose"], 2: ["purpose", "term"]}
    assert scored.missing["annual_income"] == count
    assert scored.missing["purpose"] == count - 2
    assert "term" not in scored.missing


def test_the_label_follows_the_threshold(scorer):
    assert scorer.label(0.5) == "loan given"
    assert scorer.label(np.nextafter(0.5, 0)) == "loan refused"


def test_reasons_are_the_strongest_columns_against_and_agree_with_the_score(scorer, applications):
    rows = many(applications, 60)
    scored = scorer.score(rows, explain=True)
    told = {c.told_reason.code: c.name for c in CONTRACT.predictors}
    frame = scorer.ready_frame(rows_frame(rows, CONTRACT))
    matrix = scorer.model.preprocessor.transform(frame)
    for row, reasons in zip(matrix, scored.reasons, strict=True):
        effects = dict(zip(scorer.explainer.columns, scorer.explainer.effects(row), strict=True))
        against = sorted((name for name in effects if effects[name] < -1e-9), key=lambda name: effects[name])
        assert [told[each["code"]] for each in reasons] == against[:4]


@pytest.mark.parametrize("count", [2, 60])
def test_reasons_are_the_same_row_by_row_and_in_a_frame(scorer, applications, count):
    rows = many(applications, count)
    together = scorer.score(rows, explain=True).reasons
    assert together == [scorer.score([row], explain=True).reasons[0] for row in rows]


def test_a_missing_value_that_counts_against_is_called_missing(boosting_scorer):
    found = [
        each
        for score in (None, 400)
        for each in boosting_scorer.score([{"loan_id": "a", "credit_score": score}], explain=True).reasons[0]
        if each["code"] == "CREDIT_SCORE"
    ]
    assert {"code": "CREDIT_SCORE", "sentence": "Credit score"} in found
    if len(found) == 2:
        assert found[0]["sentence"] == "Credit score: not given, or not usable"


def test_raising_what_counted_against_raises_the_score(boosting_scorer, applications):
    """The reasons point at what matters: with the credit score of another, the score moves the way the effect says."""
    row = {**many(applications, 1)[0], "credit_score": 560.0}
    better = {**row, "credit_score": 745.0}
    low, high = boosting_scorer.score([row]).probability[0], boosting_scorer.score([better]).probability[0]
    assert high > low
    assert "CREDIT_SCORE" in [each["code"] for each in boosting_scorer.score([row], explain=True).reasons[0]]


def test_the_answer_keeps_order_and_id_and_names_the_version(scorer):
    rows = [{"loan_id": 17}, {"loan_id": "b"}]
    answers = answers_of(scorer, rows, scorer.score(rows))
    assert [a["loan_id"] for a in answers] == [17, "b"]
    assert {a["model_version"] for a in answers} == {3}
    assert all(set(a) == {"loan_id", "prediction", "probability", "model_version"} for a in answers)


def test_a_decision_is_one_line_with_an_id_of_its_own(scorer):
    rows = [{"loan_id": " a\n", "purpose": "line\nbreak"}, {"loan_id": "b"}]
    lines = decision_lines(scorer, rows, scorer.score(rows), request_id="r").splitlines()
    assert len(lines) == 2
    records = [json.loads(line) for line in lines]
    assert records[0]["application_id"] == "a"
    assert records[0]["inputs"] == rows[0]
    assert records[0]["decision_id"] != records[1]["decision_id"]


def test_a_model_of_other_columns_is_refused(scorer):
    other = CONTRACT.model_copy(update={"columns": tuple(c for c in CONTRACT.columns if c.name != "credit_score")})
    with pytest.raises(ArtifactError, match="credit_score"):
        Scorer(version=scorer.version, contract=other, model=scorer.model)
