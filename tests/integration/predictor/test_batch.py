"""Batches, from files and from the source tables, into files and the table of decisions."""

import os
import subprocess
import sys
from datetime import UTC, datetime

import polars as pl
import pytest

from loanwatch.contract import default_contract
from loanwatch.errors import ModelNotFoundError, SourceError, StorageError
from loanwatch.features import clean, engineer
from loanwatch.predictor.batch import chosen_scorer, predict_file, predict_window
from loanwatch.predictor.batch_sources import CHUNK_ROWS
from loanwatch.registry import logged_probabilities
from loanwatch.simulator import simulate, write

CONTRACT = default_contract()
JANUARY, FEBRUARY = datetime(2015, 1, 1, tzinfo=UTC), datetime(2015, 2, 1, tzinfo=UTC)


@pytest.fixture
def scorer(lender):
    lender.deploy(lender.versions[0])
    return chosen_scorer(lender.database, lender.storage, CONTRACT)


def raw(rows):
    """Applications as source files hold them, with values that cleaning repairs."""
    values = [
        {
            "loan_id": f"L{n}",
            "current_loan_amount": 99_999_999 if n % 7 == 0 else 5_000 + n,
            "term": " Short Term",
            "purpose": "moon flight" if n % 5 == 0 else "Debt Consolidation",
            "credit_score": 7_200 if n % 3 else 655,
            "monthly_debt": "#VALUE!" if n % 11 == 0 else f"${n % 900}.50",
            "annual_income": None if n % 2 else 50_000 + n,
            "years_in_current_job": "10+ years",
            "home_ownership": "HaveMortgage",
            "current_credit_balance": 100 * (n % 50),
            "something_else": n,
        }
        for n in range(rows)
    ]
    return pl.DataFrame(values)


def expected(frame, models):
    wanted = frame.select(name for name in CONTRACT.column_names if name in frame.columns)
    return models[0].score(engineer(clean(wanted, CONTRACT).frame, CONTRACT))


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_file_gets_the_scores_of_training_in_its_order(scorer, lender, models, tmp_path, kind):
    frame = raw(500)
    source, output = tmp_path / f"in.{kind}", tmp_path / "made" / f"out.{kind}"
    frame.write_parquet(source) if kind == "parquet" else frame.write_csv(source)
    done = predict_file(scorer, source, output=output, database=lender.database)
    found = pl.read_parquet(output) if kind == "parquet" else pl.read_csv(output)
    assert found["loan_id"].to_list() == frame["loan_id"].to_list()
    assert found["probability"].to_numpy() == pytest.approx(expected(frame, models), abs=1e-6)
    assert found["prediction"].to_list() == [scorer.label(p) for p in found["probability"]]
    assert found["model_version"].unique().to_list() == [1]
    assert (done.rows, done.positive) == (500, (found["prediction"] == "loan given").sum())
    assert done.unknown_categories == {"purpose": 100}
    assert done.missing["monthly_debt"] == sum(n % 11 == 0 for n in range(500))


def test_a_file_of_many_chunks_is_scored_whole(scorer, lender, models, tmp_path):
    frame = raw(1_000)
    big = pl.concat([frame] * (2 * CHUNK_ROWS // 1_000 + 1))
    big.write_parquet(tmp_path / "in.parquet")
    seen = []
    predict_file(
        scorer, tmp_path / "in.parquet", output=tmp_path / "out.parquet", database=lender.database, progress=seen.append
    )
    found = pl.read_parquet(tmp_path / "out.parquet")["probability"].to_numpy()
    assert len(seen) == 3
    assert found[:1_000] == pytest.approx(expected(frame, models), abs=1e-6)
    assert found[-1_000:] == pytest.approx(found[:1_000], abs=1e-12)


def test_reasons_can_be_added(scorer, lender, tmp_path):
    raw(80).write_parquet(tmp_path / "in.parquet")
    predict_file(scorer, tmp_path / "in.parquet", output=tmp_path / "out.csv", database=lender.database, explain=True)
    found = pl.read_csv(tmp_path / "out.csv")
    codes = {c.told_reason.code for c in CONTRACT.predictors}
    assert set(found["reason_1_code"].drop_nulls()) <= codes
    assert found["reason_1_code"].null_count() < 80
    assert (found["reason_2_code"].is_null() | found["reason_1_code"].is_not_null()).all()


def test_without_an_output_the_table_takes_the_decisions(scorer, lender, models, tmp_path):
    frame = raw(120)
    frame.write_parquet(tmp_path / "in.parquet")
    done = predict_file(scorer, tmp_path / "in.parquet", output=None, database=lender.database, explain=True)
    rows = lender.query(
        "SELECT application_id, probability, source, request_id, inputs->>'monthly_debt', jsonb_array_length(reasons) "
        "FROM loanwatch.prediction ORDER BY id"
    )
    assert [r[0] for r in rows] == frame["loan_id"].to_list()
    assert [r[1] for r in rows] == pytest.approx(expected(frame, models), abs=1e-9)
    assert {r[2:4] for r in rows} == {("batch", done.batch_id)}
    assert [r[4] for r in rows] == frame["monthly_debt"].to_list()
    assert max(r[5] for r in rows) in range(1, 5)
    with lender.database.connect() as connection:
        logged = logged_probabilities(connection, model_id=scorer.version.id, application_ids=["L1", "L2", "nobody"])
        other = logged_probabilities(connection, model_id=scorer.version.id + 1, application_ids=["L1"])
    assert logged == {"L1": rows[1][1], "L2": rows[2][1]}
    assert other == {}


def test_a_window_of_the_source_tables_is_scored(scorer, lender, tmp_path):
    write(lender.database, simulate(start=JANUARY, end=FEBRUARY, seed=5, per_month=300))
    done = predict_window(
        scorer, start=JANUARY, end=FEBRUARY, output=tmp_path / "out.parquet", database=lender.database,
        folder=lender.home / "runs",
    )  # fmt: skip
    assert pl.read_parquet(tmp_path / "out.parquet").height == done.rows
    assert done.rows >= 290
    assert list((lender.home / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("credit_score\n700\n", "no column loan_id"),
        ("loan_id,other\na,b\n", "none of the contract's predictors"),
        ("loan_id,credit_score\na,700\n,600\n", "row 2 has no loan_id"),
        ("loan_id,credit_score\n", "no applications"),
        ("loan_id,credit_score\na,700,3\n", "cannot be read"),
        ("loan_id,credit_score,credit_score\na,1,2\n", "twice"),
        ("", "cannot be read"),
    ],
)
def test_a_file_that_will_not_do_leaves_nothing_behind(scorer, lender, tmp_path, content, what):
    (tmp_path / "in.csv").write_text(content)
    with pytest.raises(SourceError, match=what):
        predict_file(scorer, tmp_path / "in.csv", output=tmp_path / "out.csv", database=lender.database)
    with pytest.raises(SourceError, match=what):
        predict_file(scorer, tmp_path / "in.csv", output=None, database=lender.database)
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["in.csv"]
    assert lender.query("SELECT count(*) FROM loanwatch.prediction") == [(0,)]


def test_files_of_other_kinds_are_refused(scorer, lender, tmp_path):
    (tmp_path / "in.xlsx").write_text("")
    with pytest.raises(SourceError, match="neither"):
        predict_file(scorer, tmp_path / "in.xlsx", output=None, database=lender.database)
    raw(3).write_parquet(tmp_path / "in.parquet")
    with pytest.raises(StorageError, match="must end in"):
        predict_file(scorer, tmp_path / "in.parquet", output=tmp_path / "out.xlsx", database=lender.database)


def test_without_a_deployed_model_a_version_must_be_named(lender):
    with pytest.raises(ModelNotFoundError, match="no model is deployed"):
        chosen_scorer(lender.database, lender.storage, CONTRACT)
    assert chosen_scorer(lender.database, lender.storage, CONTRACT, version=2).version.version == 2


def test_the_command_says_what_it_did(lender, tmp_path):
    lender.deploy(lender.versions[0])
    raw(30).write_parquet(tmp_path / "in.parquet")
    environment = {**os.environ, "DATABASE_URL": lender.database.conninfo}
    command = [sys.executable, "-m", "loanwatch", "--home", str(lender.home), "predict", str(tmp_path / "in.parquet")]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "out.csv")], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "30 applications scored by model v1" in done.stdout
    assert "purpose: 6 with a category" in done.stdout
    both = subprocess.run(
        [*command, "--start", "2015-01-01"], capture_output=True, text=True, env=environment, check=False
    )
    assert both.returncode == 1
    assert "either a file, or a window" in both.stderr
