from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from loanwatch.contract import Contract
from loanwatch.errors import NotEnoughDataError
from loanwatch.training import labels_of, split

START = datetime(2024, 1, 1, tzinfo=UTC)


def with_training(contract: Contract, **options: object) -> Contract:
    return replace(contract, training=replace(contract.training, **options))


def rows(labels: list[str | None], minutes: list[int | None] | None = None) -> pl.DataFrame:
    minutes = list(range(len(labels))) if minutes is None else minutes
    times = [None if m is None else START + timedelta(minutes=m) for m in minutes]
    return pl.DataFrame(
        {"loan_id": [str(i) for i in range(len(labels))], "loan_status": labels, "application_time": times},
        schema_overrides={"application_time": pl.Datetime("us", "UTC"), "loan_status": pl.String},
    )


@pytest.fixture
def small(contract) -> Contract:
    return with_training(contract, minimum_rows=50)


def alternating(count: int) -> list[str | None]:
    return ["loan given", "loan refused"] * (count // 2)


def test_the_last_share_by_time_tests(small):
    parts = split(rows(alternating(100)).sample(fraction=1, shuffle=True, seed=1), small)
    assert (parts.train.height, parts.test.height) == (70, 30)
    assert parts.train["application_time"].max() < parts.test["application_time"].min()
    assert parts.test["application_time"].is_sorted()


def test_applications_of_one_moment_stay_together(small):
    minutes = [0] * 60 + [1] * 20 + [2] * 20
    parts = split(rows(alternating(100), minutes), small)
    assert (parts.train.height, parts.test.height) == (60, 40)


def test_a_first_moment_that_holds_almost_everything_trains(small):
    parts = split(rows(alternating(100), [0] * 90 + [1] * 10), small)
    assert (parts.train.height, parts.test.height) == (90, 10)


def test_one_moment_cannot_be_split_by_time_but_can_at_random(small):
    frame = rows(alternating(100), [0] * 100)
    with pytest.raises(NotEnoughDataError, match="all 100 labelled applications are of 2024-01-01 00:00"):
        split(frame, small)
    assert split(frame, with_training(small, split="random")).test.height == 30


@pytest.mark.parametrize("how", ["time", "random"])
def test_the_order_of_rows_has_no_influence(small, how):
    contract = with_training(small, split=how)
    frame = rows(alternating(100), [m // 3 for m in range(100)])
    one, other = split(frame, contract), split(frame.reverse(), contract)
    assert one.train.equals(other.train)
    assert one.test.equals(other.test)


def test_a_random_split_follows_the_seed_and_loses_no_row(small):
    frame = rows(alternating(200))
    contract = with_training(small, split="random")
    one = split(frame, contract)
    assert one.test.height == 60
    assert sorted([*one.train["loan_id"], *one.test["loan_id"]]) == sorted(frame["loan_id"])
    assert split(frame, contract).test.equals(one.test)
    assert not split(frame, with_training(contract, random_seed=1)).test.equals(one.test)


def test_rows_without_label_or_time_are_set_aside_and_counted(small):
    frame = rows([*alternating(100), None, None, "loan given"], [*range(102), None])
    parts = split(frame, small)
    assert (parts.unlabelled, parts.undated) == (2, 1)
    assert parts.train.height + parts.test.height == 100


def test_other_words_are_no_label(small):
    parts = split(rows([*alternating(100), "pending", "pending", "withdrawn"]), small)
    assert parts.unlabelled == 3
    assert parts.train.height + parts.test.height == 100


def test_too_few_rows_are_counted_and_say_what_to_do(contract):
    with pytest.raises(NotEnoughDataError, match=r"20 labelled .* fewer than the 500 .* widen the window"):
        split(rows(alternating(20)), contract)
    with pytest.raises(NotEnoughDataError, match="0 labelled"):
        split(rows([None] * 600), contract)


def test_the_minimum_itself_is_enough(contract):
    assert split(rows(alternating(500)), contract).train.height == 350


@pytest.mark.parametrize(
    ("labels", "part", "word"),
    [
        (["loan given"] * 100, "training", "loan refused"),
        (["loan refused"] * 100, "training", "loan given"),
        ([*alternating(70), *["loan given"] * 30], "test", "loan refused"),
        ([*["loan refused"] * 70, *alternating(30)], "training", "loan given"),
    ],
)
def test_one_class_only_is_named_with_its_part(small, labels, part, word):
    with pytest.raises(NotEnoughDataError, match=f"{part} part are labelled '{word}'"):
        split(rows(labels), small)


def test_labels_are_true_where_positive(small):
    assert labels_of(rows(["loan given", "loan refused"]), small).tolist() == [True, False]


def test_label_words_are_compared_as_cleaning_leaves_them(small):
    label = replace(small.label, positive=" Loan Given", negative="LOAN REFUSED")
    contract = replace(small, label=label)
    assert labels_of(split(rows(alternating(100)), contract).test, contract).sum() == 15
