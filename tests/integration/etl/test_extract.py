import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from loanwatch.errors import SourceError, StorageError, WindowError
from loanwatch.etl import check_source, extract_window, load_folder

APRIL, MAY, JUNE = (datetime(2015, month, 1, tzinfo=UTC) for month in (4, 5, 6))


def test_the_columns_are_the_contracts_in_order_then_the_counts(source, contract, loan):
    source.load(loans=[loan()])
    (row,) = source.extract()
    assert list(row) == [*contract.column_names, *(audit.column for audit in contract.audit)]


def test_text_is_trimmed_and_in_lower_case_but_ids_are_not(source, loan):
    source.load(loans=[loan(" L1x ", purpose="\tHome Improvements ")])
    (row,) = source.extract()
    assert (row["loan_id"], row["purpose"], row["loan_status"]) == (" L1x ", "home improvements", "loan given")


def test_exact_copies_collapse_and_are_counted(source, loan):
    source.load(loans=[loan(), loan(), loan(), loan("l2")])
    assert [(r["loan_id"], r["duplicate_rows"], r["superseded_rows"]) for r in source.extract()] == [
        ("l1", 2, 0), ("l2", 0, 0),
    ]  # fmt: skip


def test_the_latest_version_wins_over_the_whole_table(source, loan):
    source.load(
        loans=[
            loan(current_loan_amount=1, application_time="16-04-2015 10:00"),
            loan(current_loan_amount=2, application_time="03-05-2015 09:00:30"),
            loan(current_loan_amount=3, application_time="no time"),
        ]
    )
    (row,) = source.extract(MAY, JUNE)
    assert (row["current_loan_amount"], row["superseded_rows"]) == ("2", 2)
    with pytest.raises(WindowError):
        source.extract(APRIL, MAY)


def test_versions_of_the_same_time_are_decided_the_same_way_whatever_their_order(source, loan):
    versions = [loan(term="short term"), loan(term="long term")]
    source.load(loans=versions)
    first = source.extract()
    source.execute("DELETE FROM loan_details")
    source.load(loans=versions[::-1])
    assert source.extract() == first


def test_loans_without_an_id_are_not_taken_for_versions_of_one(source, loan):
    source.load(loans=[loan("a", current_loan_amount=1), loan("b", current_loan_amount=2)])
    source.execute("UPDATE loan_details SET loan_id = NULL")
    assert sorted(row["current_loan_amount"] for row in source.extract()) == ["1", "2"]


def test_an_ambiguous_customer_joins_as_missing_and_is_counted(source, loan):
    source.load(
        loans=[loan("l1", customer_id="one"), loan("l2", customer_id="two"), loan("l3", customer_id="none")],
        customers=[
            {"customer_id": "one", "home_ownership": "Rent", "annual_income": 5},
            {"customer_id": "one", "home_ownership": "rent ", "annual_income": 5},
            {"customer_id": "two", "home_ownership": "Rent", "annual_income": 5},
            {"customer_id": "two", "home_ownership": "Rent", "annual_income": 6},
        ],
        scores=[{"customer_id": "two", "credit_score": 700, "monthly_debt": "$1,200.50"}],
    )
    one, two, none = source.extract()
    assert (one["home_ownership"], one["annual_income"], one["customer_records"], one["credit_records"]) == (
        "rent",
        5,
        1,
        0,
    )
    assert (two["home_ownership"], two["annual_income"], two["customer_records"]) == (None, None, 2)
    assert (two["credit_score"], two["monthly_debt"], two["credit_records"]) == (700, "$1,200.50", 1)
    assert (none["home_ownership"], none["customer_records"]) == (None, 0)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2015/04/16 10:00", "31-04-2015 10:00", "29-02-2015 10:00", "16-13-2015 10:00", "16-04-2015 24:00",
     "16-04-2015 10:60", "16-04-2015", "1a-04-2015 10:00", "16-04-2015 10:00:00 or so", "１６-04-2015 10:00", "'); --"],
)  # fmt: skip
def test_a_malformed_time_is_counted_and_harms_nothing(source, contract, loan, text):
    source.load(loans=[loan("good"), loan("bad", application_time=text)])
    path = source.folder / "window.parquet"
    extraction = extract_window(source.database, contract, start=APRIL, end=MAY, destination=path)
    assert (extraction.rows, extraction.unreadable_times) == (1, 1)
    assert pl.read_parquet(path)["loan_id"].to_list() == ["good"]


@pytest.mark.parametrize("text", ["29-02-2016 23:59:59", " 29-02-2016 23:59 ", "2016-02-29 23:59:00"])
def test_a_leap_day_is_a_day(source, loan, text):
    source.load(loans=[loan(application_time=text)])
    assert source.extract(datetime(2016, 2, 29, tzinfo=UTC), datetime(2016, 3, 1, tzinfo=UTC))


def test_a_window_holds_its_first_moment_and_not_its_last(source, loan):
    moments = ["16-04-2015 09:59:59", "16-04-2015 10:00", "16-04-2015 10:00:01", "17-04-2015 10:00"]
    source.load(loans=[loan(str(i), application_time=moment) for i, moment in enumerate(moments)])
    start = datetime(2015, 4, 16, 10, tzinfo=UTC)
    assert [row["loan_id"] for row in source.extract(start, start + timedelta(days=1))] == ["1", "2"]
    half = start + timedelta(microseconds=500_000)
    assert [row["loan_id"] for row in source.extract(half, half + timedelta(seconds=1))] == ["2"]


def test_every_application_lies_in_exactly_one_of_neighbouring_windows(source, loan):
    source.load(loans=[loan(f"{hour:02}", application_time=f"16-04-2015 {hour:02}:30") for hour in range(24)])
    found = []
    start = datetime(2015, 4, 16, tzinfo=UTC)
    for part in range(8):
        found += [
            row["loan_id"]
            for row in source.extract(start + part * timedelta(hours=3), start + (part + 1) * timedelta(hours=3))
        ]
    assert found == [f"{hour:02}" for hour in range(24)]


@pytest.mark.parametrize(
    "sql_type", ["text", "numeric", "double precision", "integer", "varchar(20)", "bigint", "real"]
)
def test_numeric_columns_may_have_any_sql_type(source, loan, sql_type):
    source.load(
        loans=[loan()],
        customers=[{"customer_id": "c1", "annual_income": 7}],
        scores=[{"customer_id": "c1", "monthly_debt": "9"}],
    )
    source.execute(
        f"ALTER TABLE loan_details ALTER current_loan_amount TYPE {sql_type} USING current_loan_amount::{sql_type}"
    )
    source.execute(f"ALTER TABLE customer_details ALTER annual_income TYPE {sql_type} USING annual_income::{sql_type}")
    source.execute(f"ALTER TABLE credit_details ALTER monthly_debt TYPE {sql_type} USING monthly_debt::{sql_type}")
    (row,) = source.extract()
    assert (float(row["current_loan_amount"]), float(row["annual_income"]), float(row["monthly_debt"])) == (1000, 7, 9)


@pytest.mark.parametrize("sql_type", ["timestamp", "timestamptz", "timestamptz(0)"])
def test_the_time_may_be_a_timestamp(source, loan, sql_type):
    source.load(loans=[loan(application_time="16-04-2015 23:30:15")])
    source.execute("SET datestyle = 'ISO, DMY'; SET timezone = 'UTC'; ALTER TABLE loan_details ALTER application_time "
                   f"TYPE {sql_type} USING application_time::{sql_type}")  # fmt: skip
    source.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Asia/Tokyo'); END $$"
    )
    (row,) = source.extract(datetime(2015, 4, 16, tzinfo=UTC), datetime(2015, 4, 17, tzinfo=UTC))
    assert row["application_time"] == "16-04-2015 23:30:15"


def test_ids_may_have_different_types_in_each_table(source, loan):
    source.load(loans=[loan("1", customer_id="7")], customers=[{"customer_id": "7", "annual_income": 3}])
    source.execute("ALTER TABLE customer_details ALTER customer_id TYPE bigint USING customer_id::bigint")
    source.execute("ALTER TABLE loan_details ALTER loan_id TYPE integer USING loan_id::integer")
    (row,) = source.extract()
    assert (row["loan_id"], row["annual_income"]) == ("1", 3)


def test_a_text_of_ten_megabytes_passes(source, loan):
    source.load(loans=[loan(purpose="x" * 10_000_000)])
    (row,) = source.extract()
    assert len(row["purpose"]) == 10_000_000


@pytest.mark.parametrize(("statement", "named"), [
    ("DROP TABLE credit_details", "credit_details"),
    ("ALTER TABLE customer_details DROP annual_income", "annual_income"),
    ("ALTER TABLE loan_details DROP application_time", "application_time"),
])  # fmt: skip
def test_a_missing_table_or_column_is_named(source, loan, statement, named):
    source.load(loans=[loan()])
    source.execute(statement)
    with pytest.raises(SourceError, match=named):
        source.extract()
    assert not (source.folder / "window.parquet").exists()


def test_a_column_that_the_query_does_not_give_is_named(source, contract, loan):
    source.load(loans=[loan()])
    source.contract = replace(contract, extract_query="SELECT loan_id FROM loan_details WHERE $1 < $2")
    with pytest.raises(SourceError, match="gives no column customer_id"):
        source.extract()


def test_extra_columns_of_the_source_are_left_out(source, contract, loan):
    source.load(loans=[loan()])
    source.execute("ALTER TABLE loan_details ADD note json, ADD application_notes text DEFAULT 'x'")
    (row,) = source.extract()
    assert len(row) == len(contract.column_names) + len(contract.audit)


def test_an_empty_window_says_what_the_table_holds(source, loan):
    source.load(loans=[loan("a"), loan("b", application_time="02-05-2015 11:30")])
    with pytest.raises(WindowError, match=r"2020-01-01.*from 2015-04-16 10:00 to 2015-05-02 11:30"):
        source.extract(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC))


@pytest.mark.parametrize("end", [APRIL, APRIL - timedelta(days=1)])
def test_a_window_must_begin_before_it_ends(source, end):
    with pytest.raises(WindowError, match="must begin before it ends"):
        source.extract(APRIL, end)


def test_a_folder_that_cannot_be_written_is_named(source, contract, loan):
    source.load(loans=[loan()])
    (source.folder / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        extract_window(
            source.database, contract, start=APRIL, end=MAY, destination=source.folder / "file" / "x.parquet"
        )


def test_extractions_at_once_do_not_disturb_each_other(source, contract, loan):
    source.load(loans=[loan(str(i)) for i in range(50)])
    found = {}

    def extract(number: int) -> None:
        path = source.folder / f"{number}.parquet"
        found[number] = extract_window(source.database, contract, start=APRIL, end=MAY, destination=path).rows

    threads = [threading.Thread(target=extract, args=[i]) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(4), 50)


def test_an_extraction_cannot_write(source, contract, loan):
    source.load(loans=[loan()])
    source.execute("CREATE FUNCTION meddle() RETURNS int LANGUAGE sql AS 'DELETE FROM loan_details; SELECT 1'")
    source.contract = replace(
        contract,
        extract_query=contract.extract_query.replace(
            "0::bigint AS superseded_rows", "meddle()::bigint AS superseded_rows"
        ),
    )
    with pytest.raises(Exception, match="read-only"):
        source.extract()
    assert source.execute("SELECT count(*) FROM loan_details") == [(1,)]


def test_the_real_loans_come_out_whole(source, contract, real_data):
    load_folder(source.database, contract, real_data / "loans_2015")
    rows = source.extract()
    assert len(rows) == 3301
    assert sum(row["customer_records"] == 0 for row in rows) == 1187


def test_the_source_is_checked_without_an_extraction(source, contract, loan):
    source.load(loans=[loan()])
    assert check_source(source.database, contract) == (
        "loan_details holds application_time from 2015-04-16 10:00 to 2015-04-16 10:00"
    )
    source.execute("ALTER TABLE credit_details DROP credit_score")
    with pytest.raises(SourceError, match="credit_score"):
        check_source(source.database, contract)
