"""State of files and packages."""
