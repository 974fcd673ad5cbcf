"""Settings of the property tests."""

from __future__ import annotations

from hypothesis import settings

# A deadline would measure what else the machine is doing.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
