"""Between the source tables and files: load them, extract a window of them."""

from loanwatch.etl.extract import Extraction, extract_window

__all__ = ["Extraction", "extract_window"]
