"""What was in use last is found again, and nothing that does not fit."""

import hashlib
import stat
from datetime import UTC, datetime

import pytest

from loanwatch.predictor.known import LastKnown
from loanwatch.predictor.tokens import Token
from loanwatch.registry import ModelVersion

MOMENT = datetime(2015, 1, 1, 12, 30, tzinfo=UTC)
VERSION = ModelVersion(
    id=4, name="loans", version=2, status="online", run_id=None, deployed_at=MOMENT, digest="0" * 64,
    metadata={"auc": 0.7}, created_at=MOMENT,
)  # fmt: skip
TOKEN = Token(
    id=1, name="broker", token_hash=hashlib.sha256(b"secret").digest(), requests_per_minute=None, created_at=MOMENT,
    created_by="x", revoked_at=None,
)  # fmt: skip


@pytest.fixture
def known(tmp_path):
    return LastKnown(tmp_path / "spool", model="loans")


def test_version_and_tokens_come_back(known):
    known.keep(VERSION, [TOKEN])
    assert known.recall() == (VERSION, [TOKEN])


def test_only_its_owner_reads_it(known):
    known.keep(VERSION, [TOKEN])
    assert stat.S_IMODE(known.path.stat().st_mode) == 0o600


def test_it_is_written_when_there_is_news(known):
    known.keep(VERSION, [TOKEN])
    known.path.write_bytes(b"touched")
    known.keep(VERSION, [TOKEN])
    assert known.path.read_bytes() == b"touched"
    known.keep(VERSION, [])
    assert known.recall() == (VERSION, [])


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff", b"[]", b'{"version": {"id": "x"}, "tokens": []}', b'{"version": null}']
)
def test_what_is_not_readable_counts_as_nothing(known, content):
    known.path.parent.mkdir()
    known.path.write_bytes(content)
    assert known.recall() is None


def test_another_model_is_not_taken(known):
    known.keep(VERSION, [])
    assert LastKnown(known.path.parent, model="cars").recall() is None


def test_what_is_forgotten_does_not_come_back(known):
    known.keep(VERSION, [])
    known.forget()
    assert known.recall() is None
    known.keep(VERSION, [])
    assert known.recall() == (VERSION, [])


def test_a_folder_that_cannot_be_written_is_no_reason_to_stop(tmp_path):
    (tmp_path / "file").write_text("")
    known = LastKnown(tmp_path / "file", model="loans")
    known.keep(VERSION, [])
    assert known.recall() is None
