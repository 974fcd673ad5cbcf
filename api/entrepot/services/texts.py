"""Texts that people write about their things."""

from __future__ import annotations

from entrepot.errors import ValidationError


def check_text(what: str, text: str, *, most: int) -> None:
    """Raises ValidationError for a text of more than so many characters, and for what is no text. `what` is the argument's name."""
    if len(text) > most:
        raise ValidationError(f"The {what.replace('_', ' ')} has {len(text):,} characters; {most:,} is the most.", field=what)
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValidationError(f"The {what.replace('_', ' ')} holds characters that are no text (NUL or half of a pair).", field=what)


def check_line(what: str, text: str, *, most: int) -> None:
    """The same for what stands in one line, and is read as it stands: nothing in it turns the direction of writing or is invisible."""
    check_text(what, text, most=most)
    if not text.isprintable():
        raise ValidationError(f"The {what.replace('_', ' ')} may hold no line break and no invisible character.", field=what)
