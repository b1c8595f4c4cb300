"""Between the source tables and files: load them, extract a window of them."""

from loanwatch.etl.extract import Extraction, check_source, extract_window
from loanwatch.etl.load import LoadReport, TableLoad, load_folder
from loanwatch.etl.tables import columns_of, create_table, sql_type

__all__ = [
    "Extraction",
    "LoadReport",
    "TableLoad",
    "check_source",
    "columns_of",
    "create_table",
    "extract_window",
    "load_folder",
    "sql_type",
]
