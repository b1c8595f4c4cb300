"""Models that lie in an object store are served and score batches on a machine that has no copy of them."""

import os
import subprocess
import sys
from dataclasses import replace

import polars as pl
import pytest

from loanwatch.contract import default_contract
from loanwatch.features import clean, engineer
from loanwatch.registry import register, save_artifact
from loanwatch.settings import Settings
from loanwatch.storage import open_storage

NAME = default_contract().name


@pytest.fixture
def remote(store, lender, models, tmp_path):
    """A model whose files another machine put into the store."""
    elsewhere = Settings(home=tmp_path / "elsewhere", storage_url=store)
    digest = save_artifact(open_storage(elsewhere, "models"), NAME, models[1].to_files())
    with lender.database.connect() as connection:
        version = register(connection, name=NAME, run_id=None, digest=digest, metadata={})
    lender.deploy(version)
    return version


def test_the_service_fetches_its_model_and_takes_no_other_for_it(store, remote, lender, serve, tmp_path):
    served = serve(replace(lender, home=tmp_path / "empty"))
    (answer,) = served.predict([{"loan_id": "a", "credit_score": 700}]).json()
    assert answer["model_version"] == remote.version
    stored = open_storage(Settings(home=tmp_path / "elsewhere", storage_url=store), "models")
    stored.write(f"{NAME}/{remote.digest[:16]}/model.onnx", b"changed")
    assert served.predict([{"loan_id": "b", "credit_score": 700}]).json()[0]["probability"] == answer["probability"]
    another = serve(replace(lender, home=tmp_path / "another"), ready=False)
    refused = another.predict([{"loan_id": "c"}])
    assert (refused.status_code, "cannot be used" in refused.json()["message"]) == (503, True)


def test_a_batch_is_scored_with_the_stores_model(remote, lender, models, tmp_path):
    frame = pl.DataFrame({"loan_id": ["a", "b"], "credit_score": [700.0, 400.0]})
    frame.write_parquet(tmp_path / "in.parquet")
    home = tmp_path / "third"
    command = [sys.executable, "-m", "loanwatch", "--home", str(home), "predict", str(tmp_path / "in.parquet")]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "out.parquet")], capture_output=True, text=True, check=False,
        env={**os.environ, "DATABASE_URL": lender.database.conninfo},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = pl.read_parquet(tmp_path / "out.parquet")
    contract = default_contract()
    expected = models[1].score(engineer(clean(frame, contract).frame, contract))
    assert found["probability"].to_numpy() == pytest.approx(expected, abs=1e-6)
    assert found["model_version"].unique().to_list() == [remote.version]
