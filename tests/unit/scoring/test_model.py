import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from loanwatch.errors import ArtifactError, ContractError
from loanwatch.scoring import ScoringModel


def test_scores_are_probabilities_one_a_row(model, frame):
    scores = model.score(frame)
    assert scores.shape == (frame.height,)
    assert scores.dtype == np.float64
    assert ((scores > 0) & (scores < 1)).all()
    assert scores.std() > 0.05


def test_a_row_alone_has_the_score_it_has_in_a_batch(model, frame):
    batch = model.score(frame)
    alone = np.array([model.score(frame[position]).item() for position in range(300)])
    assert np.abs(alone - batch[:300]).max() < 1e-14


def test_the_size_of_the_batch_does_not_change_a_score(model, matrix):
    whole = model.score_matrix(matrix)
    for size in (2, 7, 64, 1_000):
        parts = [model.score_matrix(matrix[start : start + size]) for start in range(0, 1_000, size)]
        assert np.abs(np.concatenate(parts)[:1_000] - whole[:1_000]).max() < 1e-14


def test_a_batch_that_is_shared_out_to_threads_keeps_its_order(model, matrix):
    many = np.tile(matrix, (12, 1))
    assert len(many) > 2 * 16_384
    assert np.abs(model.score_matrix(many) - np.tile(model.score_matrix(matrix), 12)).max() < 1e-14


def test_calibration_is_applied_to_the_raw_score(model, matrix):
    raw = model.raw_score_matrix(matrix)
    assert model.score_matrix(matrix) == pytest.approx(model.calibrator.apply(raw), abs=0)


def test_no_rows_have_no_scores(model, frame):
    assert model.score(frame.clear()).shape == (0,)


def test_a_missing_column_is_named(model, frame):
    with pytest.raises(ContractError, match="column credit_score is missing"):
        model.score(frame.drop("credit_score"))


def test_files_bring_back_the_same_model(model, frame):
    files = model.to_files()
    again = ScoringModel.from_files(files)
    assert again == model
    assert again.to_files() == files
    assert again.score(frame).tobytes() == model.score(frame).tobytes()


def test_the_files_are_json_and_onnx(model):
    assert set(model.to_files()) == {"preprocessor.json", "model.onnx", "calibrator.json"}


def test_a_missing_file_is_named(model):
    for name in model.to_files():
        files = {other: content for other, content in model.to_files().items() if other != name}
        with pytest.raises(ArtifactError, match=name):
            ScoringModel.from_files(files)


@pytest.mark.parametrize("name", ["preprocessor.json", "calibrator.json"])
@pytest.mark.parametrize("content", [b"\xff\xfe", b"{}", b"no json"])
def test_a_file_that_is_not_what_its_name_says_is_refused(model, name, content):
    with pytest.raises(ArtifactError):
        ScoringModel.from_files({**model.to_files(), name: content})


def test_a_graph_that_is_none_is_refused_in_one_line(model, matrix):
    with pytest.raises(ArtifactError, match=r"model\.onnx cannot be loaded"):
        replace(model, graph=b"not a graph").score_matrix(matrix)


def test_scoring_loads_no_training_library():
    heavy = "sklearn", "skl2onnx", "onnx", "scipy.stats", "pandas", "onnxruntime"
    code = f"import sys, loanwatch.scoring; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
