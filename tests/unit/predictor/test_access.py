"""Who may ask, and how often."""

import hashlib
from contextlib import closing
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from loanwatch.predictor import is_loopback
from loanwatch.predictor.access import OPEN_PATHS, Gate
from loanwatch.predictor.tokens import Token, TokenBook
from loanwatch.web.problem import Problem
from loanwatch.web.rate_limit import RateLimiter

SECRET = "s" * 43


def token(number, *, secret=SECRET, per_minute=None):
    return Token(
        id=number, name=f"t{number}", token_hash=hashlib.sha256(secret.encode()).digest(),
        requests_per_minute=per_minute, created_at=datetime(2015, 1, 1, tzinfo=UTC), created_by="x", revoked_at=None,
    )  # fmt: skip


def test_a_token_is_known_by_number_and_secret():
    book = TokenBook([token(1), token(2, secret="t" * 43)])
    assert book.check(b"Bearer lw_1_" + SECRET.encode()).name == "t1"
    assert book.check(b"bearer lw_2_" + b"t" * 43).name == "t2"


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"Bearer",
        b"Bearer lw_2_" + SECRET.encode(),
        b"Bearer lw_1_" + b"t" * 43,
        b"Basic lw_1_" + SECRET.encode(),
        b"Bearer lw_1_" + SECRET.encode() + b"s",
        b"Bearer lw_1_" + SECRET.encode()[:-1],
        b"Bearer lw_01_x",
        b"\xff" * 99,
    ],
)
def test_anything_else_is_not(header):
    assert TokenBook([token(1)]).check(header) is None


def test_the_hash_does_not_show_in_what_is_logged():
    assert "token_hash" not in repr(token(1))


@pytest.fixture
def limiter(tmp_path):
    with closing(RateLimiter(tmp_path / "rates")) as limiter:
        yield limiter


def passed(limiter, *, per_minute, seconds, start=1_000.0, every=0.01, number=1):
    times = [start + every * step for step in range(int(seconds / every))]
    return sum(limiter.wait_seconds(number, per_minute=per_minute, now=now) == 0 for now in times)


def test_in_a_minute_no_more_pass_than_a_burst_and_the_rate(limiter):
    count = passed(limiter, per_minute=60, seconds=60)
    assert 60 <= count <= 60 + 10


def test_even_the_smallest_rate_lets_one_pass(limiter):
    assert limiter.wait_seconds(1, per_minute=1, now=1_000.0) == 0
    wait = limiter.wait_seconds(1, per_minute=1, now=1_001.0)
    assert 58 <= wait <= 60
    assert limiter.wait_seconds(1, per_minute=1, now=1_061.0) == 0


def test_after_the_wait_that_was_told_the_next_passes(limiter):
    while (wait := limiter.wait_seconds(1, per_minute=30, now=1_000.0)) == 0:
        pass
    assert limiter.wait_seconds(1, per_minute=30, now=1_000.0 + wait * 0.9) > 0
    assert limiter.wait_seconds(1, per_minute=30, now=1_000.0 + wait + 1e-6) == 0


def test_tokens_do_not_use_each_others_rate(limiter):
    passed(limiter, per_minute=60, seconds=5, number=1)
    assert limiter.wait_seconds(2, per_minute=60, now=1_005.0) == 0


def test_workers_share_the_rate(limiter, tmp_path):
    with closing(RateLimiter(tmp_path / "rates")) as other:
        both = (limiter, other)
        count = sum(each.wait_seconds(1, per_minute=60, now=1_000.0) == 0 for _ in range(50) for each in both)
    assert count == 10


def test_a_moment_from_before_a_restart_of_the_machine_does_not_lock_out(limiter):
    limiter.wait_seconds(1, per_minute=60, now=1e9)
    assert limiter.wait_seconds(1, per_minute=60, now=5.0) == 0


def gate(limiter, tokens=True):
    return Gate(tokens=tokens, requests_per_minute=60, limiter=limiter)


def admitted(limiter, path="/predict", *, book, header=None):
    headers = {} if header is None else {b"authorization": header}
    return gate(limiter).admit(path, headers, SimpleNamespace(tokens=book))


def status(limiter, **how):
    with pytest.raises(Problem) as caught:
        admitted(limiter, **how)
    return caught.value.status


def test_without_a_token_only_the_open_paths_answer(limiter):
    book = TokenBook([token(1)])
    assert status(limiter, book=book) == 401
    assert status(limiter, book=book, path="/metrics") == 401
    assert status(limiter, book=book, path="/anything") == 401
    for path in OPEN_PATHS:
        assert admitted(limiter, path, book=book) is None


def test_before_the_tokens_are_read_nobody_is_called_unauthorised(limiter):
    assert status(limiter, book=None, header=b"Bearer lw_1_" + SECRET.encode()) == 503


def test_a_token_has_its_own_rate_or_that_of_the_service(limiter):
    header = b"Bearer lw_1_" + SECRET.encode()
    slow = TokenBook([token(1, per_minute=1)])
    assert admitted(limiter, book=slow, header=header).id == 1
    assert status(limiter, book=slow, header=header) == 429


def test_tokens_can_be_switched_off(limiter):
    assert gate(limiter, tokens=False).admit("/predict", {}, SimpleNamespace(tokens=None)) is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [("::1", True), ("127.8.8.8", True), ("::", False), ("10.0.0.1", False), ("example.org", False)],
)
def test_only_this_machine_is_loopback(host, expected):
    assert is_loopback(host) is expected
