"""What is read off sorted values."""

import subprocess
import sys

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from loanwatch.statistics import distinct, quantiles

# Ties are what real columns are full of.
NUMBERS = st.one_of(st.integers(-5, 5).map(float), st.floats(-1e9, 1e9))


@given(arrays(np.float64, st.integers(0, 40), elements=NUMBERS))
def test_distinct_is_numpys(values: npt.NDArray[np.float64]) -> None:
    assert distinct(values).tolist() == np.unique(values).tolist()


def test_distinct_keeps_whole_numbers() -> None:
    found = distinct(np.array([3, 1, 3]))
    assert found.tolist() == [1, 3]
    assert found.dtype == np.array([1]).dtype


@given(arrays(np.float64, st.integers(1, 40), elements=NUMBERS), st.lists(st.floats(0.0, 1.0), max_size=5))
def test_quantiles_are_numpys(values: npt.NDArray[np.float64], shares: list[float]) -> None:
    np.testing.assert_allclose(quantiles(values, shares), np.quantile(values, shares), rtol=1e-12, atol=1e-6)


def test_quantiles_by_hand() -> None:
    assert quantiles(np.array([4.0, 1.0, 2.0, 8.0]), [0.0, 0.5, 1.0, 0.1]).tolist() == [1.0, 3.0, 8.0, 1.0 + 0.3]
    assert quantiles(np.array([7.0]), [0.0, 0.3, 1.0]).tolist() == [7.0] * 3


def test_neither_imports_masked_arrays() -> None:
    code = """
import sys
import numpy as np
from loanwatch.statistics import distinct, quantiles
distinct(np.arange(3.0)), quantiles(np.arange(3.0), [0.5])
print("numpy.ma" in sys.modules)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
