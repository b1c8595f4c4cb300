"""Files as people and programs write them: read, or refused in one line that names file, line or column."""

import gzip
import os

import numpy as np
import polars as pl
import pytest

import loanwatch
from loanwatch.errors import LoanwatchError

ROWS = 300


def table(seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame({"income": rng.lognormal(11, 0.5, ROWS).round(2), "town": rng.choice(["rome", "oslo"], ROWS)})


TEXT = table().write_csv()


def packed(tmp_path, compression):
    path = tmp_path / "packed"
    table().write_csv(path, compression=compression)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", TEXT.encode()),
        ("CAPITALS.CSV", TEXT.encode()),
        ("semicolon.csv", TEXT.replace(",", ";").encode()),
        ("tab.tsv", TEXT.replace(",", "\t").encode()),
        ("bar.txt", TEXT.replace(",", "|").encode()),
        ("decimal_comma.csv", TEXT.replace(",", ";").replace(".", ",").encode()),
        ("mark.csv", b"\xef\xbb\xbf" + TEXT.encode()),
        ("utf16.csv", TEXT.encode("utf-16")),
        ("windows.csv", TEXT.replace("\n", "\r\n").encode()),
        ("old_mac.csv", TEXT.replace("\n", "\r").encode()),
        ("zipped.csv.gz", gzip.compress(TEXT.encode())),
        ("zipped_and_not_called_so.csv", gzip.compress(TEXT.encode())),
        ("quoted.csv", TEXT.replace("rome", '"rome"').encode()),
        ("pattern[1]*?.csv", TEXT.encode()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # gzip holds the time, and ids must not
)
def test_any_spelling_of_a_table_is_the_same_table(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    found = loanwatch.compare(table(), path)
    assert (found.current_rows, found.findings) == (ROWS, ())
    assert {"income", "town"} <= set(found.reports["data_drift"].measurements)


def test_a_file_packed_with_zstd_is_read(tmp_path):
    path = tmp_path / "table.csv.zst"
    path.write_bytes(packed(tmp_path, "zstd"))
    assert loanwatch.compare(table(), path).findings == ()


def test_parquet_is_known_by_its_content_and_its_name_is_no_pattern(tmp_path):
    for name in ("table.csv", "table[1]*.parquet"):
        table().write_parquet(tmp_path / name)
        assert loanwatch.compare(table(), tmp_path / name).findings == ()


def test_a_file_in_latin_1_is_read_and_that_is_told(tmp_path):
    path = tmp_path / "old.csv"
    path.write_bytes(TEXT.replace("town", "año").replace("oslo", "málaga").encode("latin-1"))
    found = loanwatch.compare(path, path)
    assert "old.csv is not UTF-8: it was read as Windows-1252." in found.limitations
    assert "año" in found.reports["data_drift"].measurements


def test_lines_inside_quotation_marks_are_one_value(tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text("a;b\n" + "".join(f'{i % 7};"one\nor ""two"", {i % 3}"\n' for i in range(200)))
    found = loanwatch.compare(path, path)
    assert found.current_rows == 200
    assert {"a", "b"} <= set(found.reports["data_drift"].measurements)


@pytest.mark.parametrize("content", ["", "\n", "income,town\n", "income,town"])
def test_a_file_without_rows_is_a_table_without_rows(tmp_path, content):
    path = tmp_path / "empty.csv"
    path.write_text(content)
    found = loanwatch.compare(table(), path)
    assert found.current_rows == 0
    assert any("no rows" in line for line in found.reports["columns"].limitations)


@pytest.mark.parametrize("partition", ["", "year=2020/"])
def test_a_folder_of_parquet_files_is_one_table(tmp_path, partition):
    folder = tmp_path / "lake"
    for seed in range(2):
        path = folder / partition.replace("0/", f"{seed}/") / f"part-{seed}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table(seed).write_parquet(path)
    (folder / "_SUCCESS").touch()
    found = loanwatch.compare(folder, str(folder / "**" / "*.parquet"))
    assert (found.reference_rows, found.current_rows) == (2 * ROWS, 2 * ROWS)
    assert found.findings == ()
    assert ("year" in found.reports["data_drift"].measurements) == bool(partition)


def folder_of_two_types(tmp_path):
    table().write_parquet(tmp_path / "1.parquet")
    table().with_columns(pl.col("income").cast(pl.String)).write_parquet(tmp_path / "2.parquet")
    return tmp_path


def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    return tmp_path / "pipe.csv"


def written(name, content):
    def write(tmp_path):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p / "gone.csv", "gone.csv cannot be opened: no such file"),
        (lambda p: p / "gone*.parquet", "no such file"),
        (lambda p: p / "a\0b.csv", "cannot be opened"),
        (lambda p: p, "is a folder without Parquet files"),
        (folder_of_two_types, "column 'income'"),
        (pipe, "is neither file nor folder"),
        (written("table.xlsx", b"x"), "no known ending"),
        (written("short.parquet", b"PAR1"), "short.parquet cannot be read"),
        (written("fake.csv.gz", b"a,b\n1,2\n"), "fake.csv.gz cannot be read"),
        (written("cut.csv.gz", gzip.compress(TEXT.encode())[:300]), "cut.csv.gz cannot be read"),
        (written("long.csv", b"a,b\n" + b"1,2\n" * 9 + b"1,2,3\n"), "line 11 has 3 fields, the header 2"),
        (written("open.csv", b'a,b\n1,"2\n3,4\n'), "open.csv cannot be read as CSV"),
        (written("twins.csv", b'"a, x";b;"a, x"\n1;2;3\n'), "2 columns called 'a, x'"),
        (written("nameless.csv", b"a,,\n1,2,3\n"), "2 columns without a name"),
        (written("wide.csv", TEXT.encode("utf-16-le")), "NUL bytes"),
        (written("bytes.csv", bytes(range(1, 256)) * 3 + b"\n\0\xff"), "bytes.csv"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, make, words):
    with pytest.raises(LoanwatchError) as caught:
        loanwatch.compare(make(tmp_path), table())
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_that_may_not_be_read_is_named(tmp_path):
    path = tmp_path / "secret.csv"
    path.write_text(TEXT)
    path.chmod(0)
    with pytest.raises(LoanwatchError, match=r"secret\.csv cannot be opened: permission denied"):
        loanwatch.compare(path, table())


def test_an_address_is_refused_without_its_password():
    with pytest.raises(LoanwatchError, match="sql:TABLE") as caught:
        loanwatch.compare("postgresql://me:secret@host/loans", table())
    assert "secret" not in str(caught.value)


def test_a_folder_may_hold_whole_numbers_in_one_file_and_fractions_in_another(tmp_path):
    numbers = pl.DataFrame({"loans": np.random.default_rng(1).integers(0, 9, ROWS)})
    numbers.write_parquet(tmp_path / "1.parquet")
    numbers.select(pl.col("loans").cast(pl.Float64)).write_parquet(tmp_path / "2.parquet")
    numbers.select(pl.col("loans").cast(pl.UInt8)).write_parquet(tmp_path / "3.parquet")
    found = loanwatch.compare(numbers, tmp_path)
    assert (found.current_rows, found.findings) == (3 * ROWS, ())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (pl.col("income").cast(pl.String), r"2\.parquet: column 'income' is String, in 1\.parquet Float64"),
        (pl.lit(1).alias("age"), r"2\.parquet has the column 'age', unlike 1\.parquet"),
    ],
)
def test_the_file_that_does_not_fit_its_folder_is_named(tmp_path, change, words):
    table().write_parquet(tmp_path / "1.parquet")
    table().with_columns(change).write_parquet(tmp_path / "2.parquet")
    with pytest.raises(LoanwatchError, match=words):
        loanwatch.compare(tmp_path, table())


def test_the_file_of_a_folder_that_cannot_be_read_is_named(tmp_path):
    table().write_parquet(tmp_path / "1.parquet")
    (tmp_path / "2.parquet").write_bytes(b"PAR1")
    with pytest.raises(LoanwatchError, match=r"2\.parquet cannot be read"):
        loanwatch.compare(tmp_path, table())


def test_blank_lines_are_no_rows_and_that_is_told(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TEXT.replace("\n", "\n\n") + ",\n")
    found = loanwatch.compare(table(), path)
    assert (found.current_rows, found.findings) == (ROWS, ())
    assert f"table.csv: {ROWS + 2} lines without any value left out." in found.limitations


def test_in_a_single_column_a_blank_line_is_a_missing_value(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("income\n" + "1\n\n" * 200)
    found = loanwatch.compare(pl.DataFrame({"income": [1, None] * 200}), path)
    assert (found.current_rows, found.findings) == (400, ())


@pytest.mark.parametrize(("end", "told"), [("\n1.5", True), ("\n1.5\n", False), ("", False)])
def test_a_file_that_ends_within_a_line_was_cut_off(tmp_path, end, told):
    path = tmp_path / "table.csv"
    path.write_text(TEXT.rstrip("\n") + end)
    found = loanwatch.compare(table(), path)
    assert any("may have been cut off" in line for line in found.limitations) == told
