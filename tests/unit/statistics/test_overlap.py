"""Weights that make two samples alike."""

import numpy as np

from loanwatch.statistics.overlap import overlap_weights


def sample(seed, shift, rows=4_000):
    generator = np.random.default_rng(seed)
    design = generator.normal(size=(2 * rows, 5))
    changed = np.arange(2 * rows) >= rows
    design[changed, 0] += shift
    return design, changed


def weighted_gap(design, changed, weights):
    return np.average(design[changed], axis=0, weights=weights[changed]) - np.average(
        design[~changed], axis=0, weights=weights[~changed]
    )


def test_weights_make_the_means_the_same():
    design, changed = sample(0, 1.0)
    gap = weighted_gap(design, changed, overlap_weights(design, changed))
    assert np.abs(gap).max() < 0.01
    assert abs(weighted_gap(design, changed, np.ones(changed.size))[0]) > 0.9


def test_samples_that_do_not_differ_are_hardly_weighted():
    spread = [overlap_weights(*sample(seed, 0.0)).std() for seed in range(20)]
    assert max(spread) < 0.05
    assert np.median(spread) < 0.02


def test_what_only_one_sample_has_hardly_counts():
    design, changed = sample(1, 0.0)
    design[:, 1] = np.arange(changed.size) >= changed.size - 1_000
    weights = overlap_weights(design, changed)
    assert weights[-1_000:].max() < 0.02
    assert weights[~changed].mean() > 0.3


def test_constant_and_repeated_columns_do_no_harm():
    design, changed = sample(2, 1.0)
    doubled = np.column_stack([design, design[:, 0], np.ones(changed.size)])
    np.testing.assert_allclose(overlap_weights(doubled, changed), overlap_weights(design, changed), atol=0.01)
