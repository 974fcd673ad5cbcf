"""A table that reads well in a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence


class Table:
    """Rows below headings; the first column is text, the others are figures."""

    def __init__(self, title: str, *headings: str) -> None:
        self.title = title
        self.rows: list[Sequence[str]] = [headings]
        self.notes: list[str] = []

    def add(self, *cells: str | float) -> None:
        """Add a row; numbers are printed with three significant digits or as whole numbers."""
        self.rows.append([figure(cell) for cell in cells])

    def note(self, text: str) -> None:
        """Say something below the table."""
        self.notes.append(text)

    def __str__(self) -> str:
        widths = [max(len(cell) for cell in column) for column in zip(*self.rows, strict=True)]
        head, *body = [
            "| "
            + " | ".join(cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in enumerate(zip(row, widths, strict=True)))
            + " |"
            for row in self.rows
        ]
        rule = "|" + "|".join("-" * (width + 2) if at == 0 else "-" * (width + 1) + ":" for at, width in enumerate(widths)) + "|"
        return "\n".join([f"### {self.title}", "", head, rule, *body, "", *(f"{note}\n" for note in self.notes)])


def figure(cell: str | float) -> str:
    """A number as people read it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.2f}" if abs(cell) < 10 else f"{cell:.1f}"
