"""The data folder, before anything is opened in it."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from entrepot.db.connection import make_folders
from entrepot.errors import SettingsError

if TYPE_CHECKING:
    from entrepot.settings import Settings


def make_data_folder(settings: Settings) -> None:
    """Create the data folder where there is none. Raises SettingsError where it cannot be, or cannot be written to."""
    make_folders(settings)
    try:
        with tempfile.TemporaryFile(dir=settings.data):
            pass
    except OSError as error:
        raise SettingsError(f"The data folder {settings.data} cannot be written to: {error.strerror}. Choose another one with --data.") from error
