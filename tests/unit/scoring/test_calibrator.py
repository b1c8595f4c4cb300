import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanwatch.errors import ArtifactError
from loanwatch.scoring import Calibrator, logit

slopes, intercepts = st.floats(0.01, 10), st.floats(-5, 5)


def test_a_hand_computed_value():
    got = Calibrator(slope=2.0, intercept=math.log(2)).apply(np.array([0.75]))
    assert got == pytest.approx([18 / 19])


def test_the_identity_changes_nothing():
    p = np.array([0.001, 0.3, 0.5, 0.999])
    assert Calibrator(slope=1.0, intercept=0.0).apply(p) == pytest.approx(p)


def test_certainty_stays_finite():
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()
    got = Calibrator(slope=1.0, intercept=0.0).apply(np.array([0.0, 1.0]))
    assert got == pytest.approx([1e-6, 1 - 1e-6])


@given(slope=slopes, intercept=intercepts, p=st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_no_ranking_changes(slope, intercept, p):
    ordered = np.sort(np.array(p))
    calibrated = Calibrator(slope=slope, intercept=intercept).apply(ordered)
    assert (np.diff(calibrated) >= 0).all()
    assert ((calibrated >= 0) & (calibrated <= 1)).all()


@given(slope=slopes, intercept=intercepts)
def test_json_keeps_every_bit(slope, intercept):
    calibrator = Calibrator(slope=slope, intercept=intercept)
    assert Calibrator.from_json(calibrator.to_json()) == calibrator


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"slope": "steep", "intercept": 0}', '{"slope": 1}'])
def test_what_is_no_calibrator_is_refused(text):
    with pytest.raises(ArtifactError, match="calibrator"):
        Calibrator.from_json(text)
