"""Lists are readable however wide the terminal is, and nothing of them is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from loanwatch.cli.listing import Card, Listing

NAME = "gradient_boosting_of_the_consumer_loans_of_the_northern_branches v12"
ALERTS = Listing(
    headings=("id", "severity", "status", "model", "what", "since", "times"),
    rows=[
        ("7", "critical", "acknowledged", "churn v2", "calibration_error > 0.1", "2015-03-01 08:00", "12"),
        ("12", "low", "open", "–", "halted", "2015-03-01 08:00", ""),
    ],
    text_heading="message",
    texts=["Credit score is missing in 81 % of the rows; in the reference 51 % was missing. " * 3, "short"],
)


def shown(listing, width):
    return [line.plain for line in listing.lines(width)]


def words_of(listing):
    return {word for cells in (*listing.rows, listing.texts) for cell in cells for word in cell.split()}


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200, None])
def test_nothing_is_cut_at_any_width(width):
    text = " ".join(shown(ALERTS, width))
    assert words_of(ALERTS) <= set(text.replace("(", " ").split())


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_no_line_is_longer_than_the_terminal(width):
    assert max(map(cell_len, shown(ALERTS, width))) <= width


def test_at_eighty_columns_the_message_has_the_width_of_the_terminal():
    heading, first, *beneath = shown(ALERTS, 80)
    assert heading.split() == ["id", "severity", "status", "model", "what", "since"]
    assert first.startswith("7   critical  acknowledged  churn v2  calibration_error > 0.1")
    assert beneath[0].strip() == "times: 12"
    assert max(map(len, beneath)) > 60


def test_what_fits_stands_beside():
    heading, first, *_ = shown(ALERTS, 200)
    assert heading.endswith("times  message")
    assert "Credit score" in first


def test_in_a_pipe_every_record_is_one_line():
    assert len(shown(ALERTS, None)) == 3


def test_a_name_longer_than_the_terminal_stays_whole():
    listing = Listing(headings=("id", "model"), rows=[("1", NAME)])
    assert NAME in " ".join(" ".join(shown(listing, 40)).split())


def test_records_without_text_have_no_heading_for_it():
    listing = Listing(headings=("id", "model"), rows=[("1", "a")])
    assert shown(listing, 80) == ["id  model", "1   a"]


def test_what_moves_a_cursor_is_not_sent_to_the_terminal():
    listing = Listing(headings=("id",), rows=[("1\x1b[2J",)], texts=["a\r\nb\x07"], text_heading="message")
    assert "\x1b" not in (text := "".join(shown(listing, 80)))
    assert "a b" in text


def test_a_card_wraps_its_values_beside_their_names():
    lines = shown(Card(pairs=[("name", "loans"), ("why", "better on the same rows " * 9)]), 80)
    assert lines[0] == "name  loans"
    assert len(lines) > 3
    assert all(line.startswith("      ") for line in lines[2:])
    assert len(shown(Card(pairs=[("why", "word " * 99)]), None)) == 1


@given(
    rows=st.lists(st.tuples(st.text(max_size=30), st.text(max_size=90)), min_size=1, max_size=4),
    width=st.none() | st.integers(1, 200),
)
def test_any_text_can_be_listed(rows, width):
    listing = Listing(headings=("a", "b"), rows=rows, texts=[b for _, b in rows], text_heading="c")
    assert len(shown(listing, width)) >= 1 + len(rows)
