"""Schedules of events in TOML."""

from datetime import date

import pytest

from loanwatch.errors import ContractError
from loanwatch.simulator import FeatureShift, RelationChange, load_events, parse_events


def test_a_schedule_names_kind_dates_and_parameters(tmp_path):
    file = tmp_path / "events.toml"
    file.write_text(
        """
        [[events]]
        kind = "feature_shift"
        column = "annual_income"
        factor = 1.15
        start = 2015-04-01
        end = 2015-06-01

        [[events]]
        kind = "relation_change"
        column = "credit_score"
        strength = 0
        start = 2015-07-01
        over_days = 30
        keep_rate = true
        """
    )
    assert load_events(file) == (
        FeatureShift(column="annual_income", factor=1.15, start=date(2015, 4, 1), end=date(2015, 6, 1)),
        RelationChange(column="credit_score", strength=0, start=date(2015, 7, 1), over_days=30, keep_rate=True),
    )


def test_an_empty_schedule_plants_nothing():
    assert parse_events({}) == ()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "events.1.kind: expected one of feature_shift, .*got 'None'"),
        ({"kind": "earthquake"}, "events.1.kind: .*got 'earthquake'"),
        ({"kind": "prior_shift"}, "events.1.points: missing"),
        ({"kind": "prior_shift", "points": 1, "pionts": 2}, "events.1.pionts: unknown key, prior_shift takes"),
        ({"kind": "prior_shift", "points": "many"}, "events.1.points: expected a number, got 'many'"),
        ({"kind": "prior_shift", "points": True}, "events.1.points: expected a number, got 'True'"),
        ({"kind": "prior_shift", "points": 1, "start": "May"}, "events.1.start: expected a date such as"),
        ({"kind": "unit_change", "column": 3, "factor": 2.0}, "events.1.column: expected text"),
        (
            {"kind": "relation_change", "column": "term", "strength": 0, "keep_rate": 1},
            "events.1.keep_rate: expected true or false",
        ),
        ({"kind": "duplicate_feed", "share": 7}, "events.1: event duplicate_feed: share: expected"),
    ],
)
def test_a_complaint_names_the_event_and_the_key(entry, message):
    with pytest.raises(ContractError, match=message):
        parse_events({"events": [entry]})


@pytest.mark.parametrize("values", [{"event": []}, {"events": {"kind": "prior_shift"}}, {"events": [3]}])
def test_a_schedule_of_another_form_is_refused(values):
    with pytest.raises(ContractError, match=r"\[\[events\]\]"):
        parse_events(values)


@pytest.mark.parametrize("content", [b"[[events", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_named(tmp_path, content):
    file = tmp_path / "events.toml"
    file.write_bytes(content)
    with pytest.raises(ContractError, match=r"events .*events\.toml is not valid TOML"):
        load_events(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ContractError, match=r"missing\.toml cannot be read: No such file"):
        load_events(tmp_path / "missing.toml")
