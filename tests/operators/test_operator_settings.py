"""Settings of operators that cannot be used are sentences, and never show what was given."""

from __future__ import annotations

import pytest
from entrepot.errors import SettingsError
from entrepot.settings import load_settings


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("trusted_proxies", "10.0.0.0/8,proxy.example.org", "give IP addresses or networks"),
        ("trusted_proxies", "10.0.0.1/8", "give IP addresses or networks"),
        ("metrics_token", "short-secret", "at least 16 ASCII characters"),
        ("metrics_token", "a secret with spaces", "at least 16 ASCII characters"),
        ("forwarded_by", "both", "should be 'x-forwarded' or 'forwarded'"),
        ("log_format", "xml", "should be 'logfmt' or 'json'"),
        ("shutdown_delay", "-1", "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_used_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    monkeypatch.setenv(f"ENTREPOT_{name.upper()}", value)
    with pytest.raises(SettingsError, match=sentence) as error:
        load_settings()
    assert f"ENTREPOT_{name.upper()}" in error.value.message
    assert value not in error.value.message.replace("greater than or equal to 0", "")


def test_proxies_are_separated_by_commas_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTREPOT_TRUSTED_PROXIES", "127.0.0.1, fd00::/8")
    assert load_settings().trusted_proxies == ["127.0.0.1", "fd00::/8"]


def test_no_secret_is_in_the_text_of_the_settings() -> None:
    settings = load_settings(metrics_token="token-that-nobody-sees", database_url="postgres://a:password-unseen@host/b")
    assert "unseen" not in repr(settings) + str(settings)
    assert "nobody-sees" not in repr(settings) + str(settings)
