"""Bodies arrive whole, in time and within bounds, or not at all."""

import asyncio
import gzip
import zlib

import pytest

from loanwatch.web.body import BodyLimits, BodyRoom, check_content_type, receive_body
from loanwatch.web.problem import Problem

LIMITS = BodyLimits(max_bytes=100, timeout_seconds=0.2)


def receive(*parts, then_wait=False, hang_up=False):
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if hang_up:
        messages.append({"type": "http.disconnect"})
    elif not then_wait:
        messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def next_message():
        if messages:
            return messages.pop(0)
        await asyncio.sleep(60)
        raise AssertionError

    return next_message


def body(headers, *parts, **how):
    return asyncio.run(receive_body(headers, receive(*parts, **how), LIMITS, BodyRoom(10_000)))


def refused(headers, *parts, **how):
    with pytest.raises(Problem) as caught:
        body(headers, *parts, **how)
    return caught.value


def test_a_body_in_parts_is_put_together():
    assert body({}, b"[1,", b"2]") == b"[1,2]"


def test_a_body_of_the_largest_size_passes_and_one_byte_more_does_not():
    assert body({}, b"x" * 60, b"x" * 40) == b"x" * 100
    assert refused({}, b"x" * 60, b"x" * 41).status == 413


def test_what_is_announced_far_too_large_is_not_even_read():
    assert refused({b"content-length": b"52428800"}, then_wait=True).status == 413
    assert refused({b"content-length": b"101", b"expect": b"100-continue"}, then_wait=True).status == 413


def test_a_stream_without_end_is_cut():
    assert refused({}, *([b"x" * 50] * 100), then_wait=True).status == 413


def test_a_client_that_never_finishes_is_told_so_and_hung_up_on():
    problem = refused({}, b"[", then_wait=True)
    assert problem.status == 408
    assert problem.headers["Connection"] == "close"


def test_a_client_that_hangs_up_is_no_server_fault():
    assert refused({}, b"[", hang_up=True).status == 400


def test_what_all_unfinished_bodies_hold_together_is_bounded_and_given_back():
    room = BodyRoom(150)

    async def three_at_once():
        slow = asyncio.create_task(receive_body({}, receive(b"x" * 90, then_wait=True), LIMITS, room))
        await asyncio.sleep(0.01)
        with pytest.raises(Problem) as refused_meanwhile:
            await receive_body({}, receive(b"x" * 80), LIMITS, room)
        small = await receive_body({}, receive(b"x" * 60), LIMITS, room)
        with pytest.raises(Problem) as too_slow:
            await slow
        return refused_meanwhile.value.status, len(small), too_slow.value.status

    assert asyncio.run(three_at_once()) == (503, 60, 408)
    assert room.free_bytes == 150


def test_gzip_is_unpacked():
    assert body({b"content-encoding": b"gzip"}, gzip.compress(b"[1]")) == b"[1]"


def test_a_gzip_bomb_is_stopped_at_the_limit():
    assert refused({b"content-encoding": b"gzip"}, gzip.compress(bytes(10_000), 9)[:99]).status == 413


@pytest.mark.parametrize(
    "packed",
    [b"[1]", b"", gzip.compress(b"[1]")[:-9], zlib.compress(b"[1]"), gzip.compress(b"[1]") + gzip.compress(b"[2]")],
    ids=["not packed", "empty", "cut off", "zlib", "two after each other"],  # gzip holds the time, and ids must not
)
def test_what_is_no_whole_gzip_is_refused(packed):
    assert refused({b"content-encoding": b"gzip"}, packed).status == 422


def test_other_packings_are_refused():
    assert refused({b"content-encoding": b"br"}, b"x").status == 415


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "APPLICATION/JSON; charset=utf-8",
        "application/vnd.loan+json",
        'application/json;charset="UTF-8"',
    ],
)
def test_json_is_taken_by_any_of_its_names(kind):
    check_content_type({b"content-type": kind.encode()})


def test_a_body_without_a_type_is_taken_for_json():
    check_content_type({})


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=latin-1", ""],
)
def test_other_types_are_refused(kind):
    with pytest.raises(Problem) as caught:
        check_content_type({b"content-type": kind.encode()})
    assert caught.value.status == 415
