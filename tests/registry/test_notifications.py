"""The hooks that run while the server does: the veto and the notifications."""

from __future__ import annotations

import logging

import pytest
from entrepot.errors import ValidationError
from entrepot.plugin import FileEvent, Inspection, PackageEvent, Upload
from entrepot.registry import Registry
from plugin_builder import plugin

PUBLISHED = FileEvent(namespace="alice", package="one", type="crate", version="1", path="one-1", sha256="0" * 64, labels=("main",), actor="alice")
CHANGED = PackageEvent(namespace="alice", package="one", action="yank", actor="alice", details={})
UPLOAD = Upload(
    namespace="alice",
    type="crate",
    basename="one-1",
    path="one-1",
    size=3,
    sha256="0" * 64,
    labels=("main",),
    actor="alice",
    inspection=Inspection(name="one", version="1"),
)


@pytest.mark.parametrize(("hook", "event"), [("file_published", PUBLISHED), ("file_removed", PUBLISHED), ("package_changed", CHANGED)])
def test_every_plugin_is_told_of_a_change(hook: str, event: FileEvent | PackageEvent) -> None:
    told: list[object] = []

    def listen(self: object, event: object) -> None:
        told.append(event)

    registry = Registry.of({"kites": plugin(**{hook: listen}), "boats": plugin(**{hook: listen}), "deaf": plugin(reserved_names=["x"])})
    registry.notify(hook, event)
    assert told == [event, event]


def test_a_plugin_that_fails_is_logged_and_the_others_are_told(caplog: pytest.LogCaptureFixture) -> None:
    told: list[object] = []

    def broken(self: object, event: object) -> None:
        raise RuntimeError("the knot is loose")

    def listen(self: object, event: object) -> None:
        told.append(event)

    registry = Registry.of({"boats": plugin(file_published=broken), "kites": plugin(file_published=listen)})
    with caplog.at_level(logging.ERROR):
        registry.notify("file_published", PUBLISHED)
    assert told == [PUBLISHED]
    assert "The hook 'file_published' of the plugin 'boats' failed" in caplog.text
    assert "the knot is loose" in caplog.text


def test_only_notifications_can_be_notified() -> None:
    with pytest.raises(ValueError, match="'validate_upload' is no notification"):
        Registry.of({}).notify("validate_upload", PUBLISHED)


def test_an_upload_that_no_plugin_minds_goes_through() -> None:
    seen: list[Upload] = []

    def look(self: object, upload: Upload) -> None:
        seen.append(upload)

    Registry.of({"kites": plugin(validate_upload=look)}).validate_upload(UPLOAD)
    assert seen == [UPLOAD]


def test_a_plugin_refuses_an_upload_with_a_sentence() -> None:
    def refuse(self: object, upload: Upload) -> None:
        raise ValidationError("No crates on Sundays.")

    with pytest.raises(ValidationError, match=r"No crates on Sundays\."):
        Registry.of({"kites": plugin(validate_upload=refuse)}).validate_upload(UPLOAD)


def test_a_veto_that_breaks_refuses_the_upload_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken(self: object, upload: Upload) -> None:
        raise RuntimeError("the knot is loose")

    with caplog.at_level(logging.ERROR), pytest.raises(RuntimeError):
        Registry.of({"kites": plugin(validate_upload=broken)}).validate_upload(UPLOAD)
    assert "The plugin 'kites' failed to validate an upload of one-1" in caplog.text
