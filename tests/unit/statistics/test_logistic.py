"""Logistic regression from an offset."""

import numpy as np
import pytest
from scipy.special import expit

from loanwatch.statistics.logistic import fit_logistic_offset


def sample(rows=20_000):
    generator = np.random.default_rng(0)
    design = generator.normal(size=(rows, 3))
    offset = generator.normal(size=rows)
    label = (generator.random(rows) < expit(offset + design @ [0.5, -0.3, 0.0])).astype(float)
    return design, label, offset


def test_coefficients_are_found_within_their_errors():
    fit = fit_logistic_offset(*sample(), ridge=1e-6)
    errors = np.sqrt(np.diag(fit.covariance))
    assert np.abs((fit.coefficients - [0.5, -0.3, 0.0]) / errors).max() < 3.5
    assert errors == pytest.approx(np.full(3, 0.018), abs=0.005)


def test_the_penalised_gradient_is_zero_at_the_fit():
    design, label, offset = sample(500)
    fit = fit_logistic_offset(design, label, offset, ridge=7.0)
    gradient = design.T @ (label - expit(offset + design @ fit.coefficients)) - 7.0 * fit.coefficients
    assert np.abs(gradient).max() < 0.05


def test_a_strong_prior_leaves_the_offset():
    assert np.abs(fit_logistic_offset(*sample(500), ridge=1e9).coefficients).max() < 1e-5


def test_labels_that_the_design_separates_stay_finite():
    label = np.array([0.0] * 20 + [1.0] * 20)
    fit = fit_logistic_offset(np.column_stack([label, label - 0.5]), label, np.zeros(40), ridge=1.0)
    assert np.isfinite(fit.coefficients).all()
