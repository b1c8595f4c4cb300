"""The command line: thin commands over the functions that the DAG calls."""

from loanwatch.cli.app import main

__all__ = ["main"]
