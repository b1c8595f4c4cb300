"""Folders that the embedded server's user can reach."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """Give a folder outside pytest's own, which is closed to other users when root runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="loanwatch-acceptance-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
