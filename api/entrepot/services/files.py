"""Files, read from the database."""
