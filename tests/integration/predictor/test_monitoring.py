"""The monitoring judges a model by what it decided when it was asked."""

from datetime import UTC, datetime

import polars as pl
import pytest

from loanwatch.contract import default_contract
from loanwatch.monitoring import ScoredWindow
from loanwatch.pipeline import run_window
from loanwatch.predictor.batch import chosen_scorer, predict_window
from loanwatch.settings import Settings
from loanwatch.simulator import simulate, write
from loanwatch.storage import Storage

JANUARY, FEBRUARY, HALF, MARCH = (datetime(2015, *day, tzinfo=UTC) for day in ((1, 1), (2, 1), (2, 14), (3, 1)))


def test_a_run_reads_the_probabilities_that_were_given_and_scores_only_the_rest(database, tmp_path):
    settings = Settings(home=tmp_path / "home", leakage="warn")
    write(database, simulate(start=JANUARY, end=MARCH, seed=9, per_month=1_500))
    run_window(settings, database, start=JANUARY, end=FEBRUARY)
    scorer = chosen_scorer(database, Storage(settings.model_folder), default_contract())
    done = predict_window(
        scorer, start=FEBRUARY, end=HALF, output=None, database=database, folder=settings.snapshot_folder
    )
    with database.connect() as connection:  # as if a bug had given everybody the same; the judgement must show it
        connection.execute("UPDATE loanwatch.prediction SET probability = 0.125")
    second = run_window(settings, database, start=FEBRUARY, end=MARCH)
    scored = pl.read_parquet(settings.snapshot_folder / str(second.id) / "scored.parquet")
    probability = ScoredWindow.from_frame(scored).probability
    given = int((probability == 0.125).sum())
    assert given == done.rows
    assert 0 < given < scored.height
    assert len(set(probability[probability != 0.125])) > 100
    with database.connect() as connection:
        (message,) = connection.execute(
            "SELECT message FROM loanwatch.run_step WHERE run_id = %s AND stage = 'preprocess'", [second.id]
        ).fetchone()
    assert message.startswith(f"{scored.height:,} applications scored, {given:,} of them when they came in")
    assert given == pytest.approx(scored.height * 13 / 28, rel=0.2)
