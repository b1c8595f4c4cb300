"""What a scorer says of applications: scores, counts, reasons."""

import json
from dataclasses import replace

import numpy as np
import pytest

from loanwatch.contract import default_contract
from loanwatch.errors import ArtifactError
from loanwatch.predictor.decisions import answers_of, decision_lines
from loanwatch.predictor.scorer import Scorer, rows_frame

CONTRACT = default_contract()
PREDICTORS = [c for c in CONTRACT.columns if c.predictor]


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
    other = replace(CONTRACT, columns=tuple(c for c in CONTRACT.columns if c.name != "credit_score"))
    with pytest.raises(ArtifactError, match="credit_score"):
        Scorer(version=scorer.version, contract=other, model=scorer.model)
