"""notices.json (CEP 6), as conda reads it."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
from conda_channel import conda
from entrepot.plugin import Notice, NoticesTarget

NOON = 1_700_049_600_000
"""2023-11-15T12:00:00Z, in milliseconds."""
HOUR = 3_600_000


def notice(*, expires_in: int, message: str = "Hello.") -> Notice:
    return Notice(id="4f6e", level="warning", message=message, created_at=NOON - HOUR, expires_at=NOON + expires_in)


def test_a_notice_has_every_field_of_the_cep() -> None:
    [told] = orjson.loads(conda.render_notices([notice(expires_in=HOUR, message='Zwei\n"Zeilen"')], NOON))["notices"]
    assert told == {
        "id": "4f6e",
        "level": "warning",
        "message": 'Zwei\n"Zeilen"',
        "created_at": "2023-11-15T11:00:00+00:00",
        "expires_at": "2023-11-15T13:00:00+00:00",
        "expired_at": "2023-11-15T13:00:00+00:00",
    }
    assert datetime.fromisoformat(told["created_at"]) == datetime(2023, 11, 15, 11, tzinfo=UTC)


def test_notices_keep_their_order() -> None:
    both = [notice(expires_in=HOUR, message=message) for message in ("newer", "older")]
    assert [one["message"] for one in orjson.loads(conda.render_notices(both, NOON))["notices"]] == ["newer", "older"]


def test_conda_asks_again_within_two_days_however_long_a_notice_lasts_and_the_document_stays_the_same_for_the_day() -> None:
    month = notice(expires_in=720 * HOUR)
    document = conda.render_notices([month], NOON)
    assert orjson.loads(document)["notices"][0]["expires_at"] == "2023-11-17T00:00:00+00:00"
    assert conda.render_notices([month], NOON + 11 * HOUR) == document
    assert conda.render_notices([month], NOON + 13 * HOUR) != document


def test_the_address_is_that_of_the_channel() -> None:
    assert conda.locate("notices.json", "*/*", "") == NoticesTarget("application/json")
