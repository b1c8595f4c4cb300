import gzip
from datetime import UTC, datetime

import polars as pl
import pytest

from loanwatch.errors import LoadError
from loanwatch.etl import load_folder

TABLES = ("loan_details", "customer_details", "credit_details")


def counts(source) -> list[int]:
    return [source.execute(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES]


def test_loading_twice_changes_nothing_and_keeps_copies(source, loan):
    loans = [loan(), loan(), loan("l2", purpose="")]
    first = source.load(loans=loans, customers=[{"customer_id": "c1"}])
    second = source.load(loans=loans, customers=[{"customer_id": "c1"}])
    assert [table.inserted for table in first.tables] == [3, 1, 0]
    assert [(table.inserted, table.skipped) for table in second.tables] == [(0, 3), (0, 1), (0, 0)]
    assert counts(source) == [3, 1, 0]


def test_a_larger_file_adds_only_what_is_new(source, loan):
    source.load(loans=[loan()])
    report = source.load(loans=[loan(), loan(), loan("l2")])
    assert (report.tables[0].inserted, report.tables[0].skipped) == (2, 1)


def test_every_bad_row_is_named_and_nothing_is_loaded(source, loan):
    bad = [
        loan("ok"),
        loan("l2", current_loan_amount="much"),
        loan("", term="x"),
        loan("l4", current_loan_amount="inf"),
    ]
    with pytest.raises(LoadError) as error:
        source.load(loans=bad, scores=[{"customer_id": "c1", "credit_score": "high"}])
    for words in (
        "4 bad rows, nothing was loaded",
        "loan_details.csv line 3: column current_loan_amount: 'much' is not a number",
        "loan_details.csv line 4: column loan_id is empty",
        "loan_details.csv line 5: column current_loan_amount: 'inf' is not a finite number",
        "credit_details.csv line 2: column credit_score: 'high' is not a number",
    ):
        assert words in str(error.value)
    assert source.execute("SELECT to_regclass('loan_details')") == [(None,)]


def test_twenty_bad_rows_are_named_and_all_are_counted(source, loan):
    with pytest.raises(LoadError, match=r"^50 bad rows.*\(and 30 more\)$"):
        source.load(loans=[loan(str(i), tax_liens="?") for i in range(50)])


def test_a_bad_row_leaves_what_was_loaded_before(source, loan):
    source.load(loans=[loan()])
    with pytest.raises(LoadError):
        source.load(loans=[loan("l2"), loan("l3", tax_liens="?")])
    assert counts(source) == [1, 0, 0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"l1,c1", "line 2: 2 fields, expected 9"),
        (b"l1,c1,given,t,1,s,0,\xff\xfe,1", "line 2: column purpose: byte 0xff after '' is not UTF-8"),
        (b"l1,c1,given,t,1,s,0,a\x00b,1", "line 2: column purpose: .* holds a NUL character"),
        (b'l1,c1,given,t,1,s,0,"never closed,1', "line 2: unexpected end of data"),
        (b'l1,c1,given,t,1,s,0,"two\nlines",1\nl2,c1,given,t,1,s,none,x,1', "line 4: column tax_liens: 'none'"),
    ],
)
def test_a_broken_line_is_named(source, contract, line, words):
    source.write("customer_details")
    source.write("credit_details")
    header = b"loan_id,customer_id,loan_status,application_time,current_loan_amount,term,tax_liens,purpose,"
    header += b"no_of_properties\n"
    source.write("loan_details", text=header + line + b"\n")
    with pytest.raises(LoadError, match=words):
        load_folder(source.database, contract, source.folder)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"", "loan_details.csv is empty"),
        (
            b"loan_id,customer_id\n",
            "columns loan_status, application_time, .* are missing; expected loan_id, customer_id",
        ),
        (b"loan_id,loan_id\n", "column loan_id is there twice"),
        (
            b"loan_id;customer_id\n",
            "columns loan_id, customer_id, .* are missing, column .loan_id;customer_id. is not known",
        ),
    ],
)
def test_a_wrong_header_is_explained(source, contract, header, words):
    source.load()
    source.write("loan_details", text=header)
    with pytest.raises(LoadError, match=words):
        load_folder(source.database, contract, source.folder)


def test_an_unknown_column_is_named(source, contract):
    source.load()
    text = (source.folder / "credit_details.csv").read_bytes().strip() + b",shoe_size\n"
    source.write("credit_details", text=text)
    with pytest.raises(LoadError, match=r"credit_details.csv: column 'shoe_size' is not known; expected customer_id"):
        load_folder(source.database, contract, source.folder)


def test_everything_that_does_not_fit_is_told_at_once_for_all_files(source, contract):
    source.write("loan_details")
    for table in ("customer_details", "credit_details"):
        source.write(table, text=b"customer_id,height\n")
    words = r"customer_details.csv: columns .* are missing, column 'height' is not known; .*\. credit_details.csv: "
    with pytest.raises(LoadError, match=words):
        load_folder(source.database, contract, source.folder)


def test_columns_may_come_in_any_order_with_a_byte_order_mark_and_zipped(source, contract):
    source.load()
    (source.folder / "credit_details.csv").unlink()
    text = (
        "\ufeffBankruptcies,customer_id,credit_score,monthly_debt,years_of_credit_history,no_of_open_accounts,"
        "no_of_credit_problems,current_credit_balance,max_open_credit\r\n1,ç1,7e2,$5,,,,,#VALUE!\r\n"
    )
    with gzip.open(source.folder / "credit_details.csv.gz", "wb") as file:
        file.write(text.encode())
    load_folder(source.database, contract, source.folder)
    columns = "customer_id, credit_score, monthly_debt, max_open_credit, bankruptcies"
    assert source.execute(f"SELECT {columns} FROM credit_details") == [("ç1", 700.0, "$5", "#VALUE!", 1.0)]


def test_a_missing_file_and_two_files_are_told(source, contract, loan):
    source.load(loans=[loan()])
    (source.folder / "loan_details.parquet").write_bytes(b"")
    with pytest.raises(LoadError, match=r"loan_details.csv and loan_details.parquet: leave one"):
        load_folder(source.database, contract, source.folder)
    (source.folder / "loan_details.parquet").unlink()
    (source.folder / "loan_details.csv").unlink()
    with pytest.raises(LoadError, match=r"no file for table loan_details: expected loan_details.csv, "):
        load_folder(source.database, contract, source.folder)


def test_parquet_of_convertible_types_is_the_same_as_csv(source, contract, loan):
    source.load(loans=[loan("1", application_time="16-04-2015 10:00:00")])
    (source.folder / "loan_details.csv").unlink()
    frame = pl.DataFrame(
        {
            "loan_id": [1], "customer_id": ["c1"], "loan_status": pl.Series(["Loan Given "], dtype=pl.Categorical),
            "application_time": [datetime(2015, 4, 16, 10, tzinfo=UTC)], "current_loan_amount": pl.Series(["1000"]),
            "term": ["Short Term"], "tax_liens": [0.0], "purpose": ["other"], "no_of_properties": [1],
        }
    )  # fmt: skip
    frame.write_parquet(source.folder / "loan_details.parquet")
    assert load_folder(source.database, contract, source.folder).tables[0].skipped == 1


def test_a_file_that_is_no_parquet_is_told(source, contract):
    source.load()
    (source.folder / "loan_details.csv").unlink()
    (source.folder / "loan_details.parquet").write_bytes(b"no parquet at all")
    with pytest.raises(LoadError, match="is not a Parquet file"):
        load_folder(source.database, contract, source.folder)


def test_any_text_is_a_time_in_a_text_column_but_not_in_a_timestamp(source, loan):
    source.load(loans=[loan(application_time="some day")])
    source.execute("DELETE FROM loan_details; ALTER TABLE loan_details ALTER application_time TYPE timestamptz "
                   "USING application_time::timestamptz")  # fmt: skip
    with pytest.raises(LoadError, match="line 2: column application_time: 'some day' is not a time like"):
        source.load(loans=[loan(application_time="some day")])
    source.load(loans=[loan()])
    assert source.extract()[0]["application_time"] == "16-04-2015 10:00:00"


def test_a_text_of_ten_megabytes_is_loaded(source, loan):
    source.load(loans=[loan(purpose="ä" * 5_000_000)])
    assert source.execute("SELECT length(purpose) FROM loan_details") == [(5_000_000,)]


def test_a_table_of_the_user_with_our_kind_of_name_is_left_alone(source, loan):
    source.execute("CREATE TABLE staging (x int); CREATE TABLE loanwatch_staging (x int)")
    source.load(loans=[loan()])
    assert source.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == [(5,)]


def test_the_real_loans_load_whole(source, contract, real_data):
    report = load_folder(source.database, contract, real_data / "loans_2015")
    assert [table.inserted for table in report.tables] == [3301, 2114, 2114]
