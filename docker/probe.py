"""Shows while an image is built that what slim.sh left still works, or stops the build.

probe.py make FOLDER            before: train a small model, score and explain with it, keep both
probe.py check FOLDER TARGET    after: import what the image's processes import, score and explain the same
"""

import importlib
import json
import pkgutil
import sys
from pathlib import Path

ROWS, SEED = 600, 1

# What runs in no process of the image: it needs a library that slim.sh takes away.
ABSENT = {
    "predictor": ("training", "simulator", "etl", "pipeline", "orchestration", "cli", "comparison"),
    "airflow": (),
}
MORE = {
    "predictor": ("loanwatch.cli.app", "loanwatch.cli.serve", "loanwatch.cli.tokens", "obstore", "uvloop", "httptools"),
    "airflow": (
        "airflow.api_fastapi.main", "airflow.dag_processing.manager", "airflow.jobs.scheduler_job_runner",
        "airflow.jobs.triggerer_job_runner", "airflow.providers.celery.executors.celery_executor",
        "airflow.providers.standard.operators.hitl", "adbc_driver_postgresql.dbapi", "flower", "psycopg2", "redis",
        "pyarrow.parquet", "sklearn.ensemble", "obstore",
    ),
}  # fmt: skip


def make(folder: Path) -> None:
    """Train, and keep the model's files with its answers."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _trained().items():
        (folder / name).write_bytes(content)
    (folder / "answers").write_text(json.dumps(_answers(folder)), encoding="utf-8")


def check(folder: Path, target: str) -> None:
    """Import and ask again; with the libraries for training still there, train again too."""
    import loanwatch  # noqa: PLC0415

    for module in pkgutil.walk_packages(loanwatch.__path__, "loanwatch."):
        if module.name.split(".")[1] not in ABSENT[target] and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in MORE[target]:
        importlib.import_module(name)
    before = json.loads((folder / "answers").read_text(encoding="utf-8"))
    if _answers(folder) != before:
        sys.exit("the image answers otherwise than before it was made smaller")
    if target == "airflow" and _trained().keys() != {file.name for file in folder.iterdir()} - {"answers"}:
        sys.exit("the image trains otherwise than before it was made smaller")


def _trained() -> dict[str, bytes]:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415

    from loanwatch.contract import default_contract  # noqa: PLC0415
    from loanwatch.features import Preprocessor  # noqa: PLC0415
    from loanwatch.scoring import Calibrator, ScoringModel  # noqa: PLC0415
    from loanwatch.simulator import simulate_features  # noqa: PLC0415
    from loanwatch.training import node_covers, to_onnx  # noqa: PLC0415

    frame = simulate_features(ROWS, seed=SEED)
    preprocessor = Preprocessor.fit(frame, default_contract())
    estimator = HistGradientBoostingClassifier(max_iter=10, random_state=SEED)
    estimator.fit(preprocessor.transform(frame), frame["label"].to_numpy().astype(bool))
    return ScoringModel(
        preprocessor=preprocessor,
        calibrator=Calibrator(slope=1.0, intercept=0.1),
        graph=to_onnx(estimator),
        covers=node_covers(estimator),
    ).to_files()


def _answers(folder: Path) -> object:
    """Return probabilities and reasons of a few applications as the service gives them, and of a frame of them."""
    import polars as pl  # noqa: PLC0415

    from loanwatch.contract import default_contract  # noqa: PLC0415
    from loanwatch.features import clean, engineer  # noqa: PLC0415
    from loanwatch.predictor.explanation import Explainer  # noqa: PLC0415
    from loanwatch.predictor.requests import RequestReader  # noqa: PLC0415
    from loanwatch.scoring import ScoringModel  # noqa: PLC0415

    contract = default_contract()
    model = ScoringModel.from_files({file.name: file.read_bytes() for file in folder.iterdir() if file.suffix})
    body = json.dumps([{"loan_id": str(n), "term": "short term", "credit_score": 600 + 20 * n} for n in range(8)])
    rows = RequestReader(contract, max_rows=10).read(body.encode())
    frame = engineer(clean(pl.DataFrame(rows), contract).frame, contract)
    matrix = model.preprocessor.transform(frame)
    explainer = Explainer.of(model, contract)
    reasons = [explainer.strongest_against(row, of) for row, of in zip(matrix, frame.to_dicts(), strict=True)]
    return [model.score_matrix(matrix).tolist(), reasons]


if __name__ == "__main__":
    make(Path(sys.argv[2])) if sys.argv[1] == "make" else check(Path(sys.argv[2]), sys.argv[3])
