"""What clients say as times and big numbers is understood, or refused in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from changes import ask
from entrepot.graphql.scalars import moment_of, whole_number_of
from graphql import GraphQLError
from house import House, Person

UPLOAD = (
    """mutation ($size: BigInt) { createUpload(input: {namespace: "alice", package: "ball", basename: "ball.toy", size: $size}) { __typename } }"""
)


@pytest.mark.parametrize("text", ["2026-11-22T10:15:00Z", "2026-11-22T10:15:00.000Z", "2026-11-22T12:15:00+02:00", "2026-11-22T10:15:00"])
def test_a_time_is_in_utc_unless_it_says_otherwise(text: str) -> None:
    assert moment_of(text) == datetime(2026, 11, 22, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "12:00", 7, None, {}])
def test_what_is_no_time_is_refused_with_an_example(text: Any) -> None:
    with pytest.raises(GraphQLError, match="Write it as 2026-11-22T10:15:00Z"):
        moment_of(text)


@pytest.mark.parametrize("value", ["", "7", 7.5, True, None, []])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(GraphQLError, match="whole number"):
        whole_number_of(value)


async def test_a_client_that_says_no_number_is_told_so(house: House, alice: Person) -> None:
    for size, answer in ((7, "CreateUploadPayload"), (1 << 52, "ValidationError")):  # the second is understood, and too much
        assert (await ask(alice.client, UPLOAD, size=size))["data"]["createUpload"]["__typename"] == answer
    [error] = (await ask(alice.client, UPLOAD, size="big"))["errors"]
    assert "A BigInt is a whole number" in error["message"]
    assert error["extensions"]["code"] == "BAD_REQUEST"
