"""Which applications train and which test."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Contract
from loanwatch.errors import NotEnoughDataError
from loanwatch.features import word_value
from loanwatch.records import record

__all__ = ["Split", "labels_of", "split"]

_MINIMUM_OF_A_CLASS = 5
"""Calibration holds out five times; a part without one of the classes says nothing."""


@record
class Split:
    """The rows that train and the rows that test, each in order of time, all of them labelled."""

    train: pl.DataFrame
    test: pl.DataFrame
    unlabelled: int = 0
    """Rows set aside because their label is not known."""
    undated: int = 0
    """Rows set aside because a split by time cannot place them."""


def split(frame: pl.DataFrame, contract: Contract) -> Split:
    """Divide labelled applications into a training and a test part.

    By time, the last `training.test_share` of the rows test, and applications of one moment stay together; at random,
    that share is drawn with `training.random_seed`. The rows' order in the frame has no influence.

    Parameters
    ----------
    frame : DataFrame of n rows
        Cleaned and engineered.
    contract : Contract
        Names label, time and key, and says how to split.

    Raises
    ------
    NotEnoughDataError
        If fewer than `training.minimum_rows` rows have a label, all have the same one or the same time, or a part
        lacks one of the two.
    """
    labelled = _labelled(frame, contract)
    by_time = contract.training.split == "time"
    dated = labelled.drop_nulls(contract.time.column) if by_time else labelled
    _check_rows(dated.height, contract)
    ordered = dated.sort(contract.time.column, contract.keys.application, maintain_order=True)
    train, test = _by_time(ordered, contract) if by_time else _at_random(ordered, contract)
    for part, rows, least in (("training", train, _MINIMUM_OF_A_CLASS), ("test", test, 1)):
        _check_classes(rows, contract, part=part, least=least)
    return Split(
        train=train, test=test, unlabelled=frame.height - labelled.height, undated=labelled.height - dated.height
    )


def labels_of(frame: pl.DataFrame, contract: Contract) -> NDArray[np.bool_]:
    """Return, of shape (n,), whether each labelled row has the positive label."""
    positive = word_value(contract.label.positive)
    return (frame.get_column(contract.label.column) == positive).to_numpy()


def _labelled(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    label = contract.label
    # other words, such as "pending", are no label; the quality check names them and halts where they are many
    return frame.filter(pl.col(label.column).is_in([word_value(label.positive), word_value(label.negative)]))


def _check_rows(rows: int, contract: Contract) -> None:
    least = contract.training.minimum_rows
    if rows < least:
        raise NotEnoughDataError(
            f"{rows:,} labelled applications are fewer than the {least:,} that training needs "
            "(training.minimum_rows): widen the window or set training.history_days"
        )


def _by_time(ordered: pl.DataFrame, contract: Contract) -> tuple[pl.DataFrame, pl.DataFrame]:
    times = ordered.get_column(contract.time.column)
    cut = times[min(int(ordered.height * (1 - contract.training.test_share)), ordered.height - 1)]
    is_test = times >= cut
    if is_test.all():
        is_test = times > cut
    if not is_test.any():
        raise NotEnoughDataError(
            f"all {ordered.height:,} labelled applications are of {cut:%Y-%m-%d %H:%M}: widen the window, "
            'or set training.split = "random"'
        )
    return ordered.filter(~is_test), ordered.filter(is_test)


def _at_random(ordered: pl.DataFrame, contract: Contract) -> tuple[pl.DataFrame, pl.DataFrame]:
    training = contract.training
    is_test = np.zeros(ordered.height, dtype=bool)
    test_rows = max(1, round(ordered.height * training.test_share))
    is_test[np.random.default_rng(training.random_seed).permutation(ordered.height)[:test_rows]] = True
    return ordered.filter(~is_test), ordered.filter(is_test)


def _check_classes(rows: pl.DataFrame, contract: Contract, *, part: str, least: int) -> None:
    positives = int(labels_of(rows, contract).sum())
    counts = {contract.label.positive: positives, contract.label.negative: rows.height - positives}
    for word, count in counts.items():
        if count < least:
            raise NotEnoughDataError(
                f"only {count:,} of the {rows.height:,} applications of the {part} part are labelled {word!r}: "
                "a model needs both labels; widen the window"
            )
