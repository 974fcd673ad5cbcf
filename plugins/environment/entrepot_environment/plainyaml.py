"""YAML from strangers: one document of mappings, sequences and strings, read from the parser's events within bounds.

PyYAML's parser is libyaml, at 20 MB a second, and is here already as a dependency of uvicorn; ruamel.yaml, which conda uses, parses in Python
and keeps what only a writer needs. Its events are built here and not by its constructors: these make numbers and dates of text, nest as deep as
the text likes, take the last of two equal keys, and let ten lines of aliases stand for a billion values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

Value = str | None | list[Any] | dict[str, Any]

_most_events = 100_000
_most_values = 100_000
_most_characters = 1 << 20
_deepest = 12
_directive = re.compile(r"^%(?!YAML\b)", re.MULTILINE)
_null = frozenset(("", "~", "null", "Null", "NULL"))
_text_tag = "tag:yaml.org,2002:str"
_loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableYaml(Exception):
    """The text is no YAML, or none that is read here; the message is a sentence."""


def load(text: str) -> Value:
    """The one document of a text. Every scalar is a string as it is spelled (`3.10` stays `3.10`), but for a plain null.

    Raises UnreadableYaml.
    """
    if found := _directive.search(text):  # libyaml compares each %TAG with every other
        raise UnreadableYaml(f"line {text.count(chr(10), 0, found.start()) + 1} is a directive, which nothing here needs.")
    return _Builder().document(_events(text))


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        for number, event in enumerate(yaml.parse(text, Loader=_loader)):
            if number > _most_events:
                raise UnreadableYaml(f"it holds more than {_most_events} values.")
            yield event
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UnreadableYaml(f"{error.problem or error.context or 'it cannot be parsed'}{where}.") from error
    except yaml.YAMLError as error:  # characters that YAML does not have
        raise UnreadableYaml("it holds control characters.") from error


class _Builder:
    """Builds a document; counts what aliases stand for, values and characters, as often as they stand for it."""

    def __init__(self) -> None:
        self._anchors: dict[str, tuple[Value, int, int, int]] = {}
        self._values = 0
        self._characters = 0

    def document(self, events: Iterator[yaml.Event]) -> Value:
        """The value of the first document, which must be the only one."""
        value: Value = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                value = self._value(next(events), events, 0)[0]
                break
        if any(isinstance(event, yaml.DocumentStartEvent) for event in events):
            raise UnreadableYaml("it holds several documents (`---`); one is allowed.")
        return value

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> tuple[Value, int]:
        """A value, and how deep it nests."""
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event, depth)
        if depth > _deepest:
            raise UnreadableYaml(f"it is nested more than {_deepest} levels deep.")
        before, characters = self._values, self._characters
        self._count(1, len(event.value) if isinstance(event, yaml.ScalarEvent) else 0)
        value: Value
        below = 0
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value, below = self._sequence(event, events, depth)
        else:
            value, below = self._mapping(event, events, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._values - before, self._characters - characters, below)
        return value, below

    def _sequence(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> tuple[Value, int]:
        _refuse_tag(start)
        items: list[Value] = []
        deepest = 0
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            item, below = self._value(event, events, depth + 1)
            items.append(item)
            deepest = max(deepest, below + 1)
        return items, deepest

    def _mapping(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> tuple[Value, int]:
        _refuse_tag(start)
        pairs: dict[str, Value] = {}
        deepest = 0
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key, _ = self._value(event, events, depth + 1)
            if not isinstance(key, str):
                raise UnreadableYaml(f"line {event.start_mark.line + 1} has a key that is no text.")
            if key in pairs:
                raise UnreadableYaml(f"line {event.start_mark.line + 1} says {key[:80]!r} a second time.")
            if key == "<<":
                raise UnreadableYaml(f"line {event.start_mark.line + 1} merges mappings with `<<`, which not every client knows. Write the keys out.")
            pairs[key], below = self._value(next(events), events, depth + 1)
            deepest = max(deepest, below + 1)
        return pairs, deepest

    def _aliased(self, event: yaml.AliasEvent, depth: int) -> tuple[Value, int]:
        if event.anchor not in self._anchors:
            raise UnreadableYaml(f"line {event.start_mark.line + 1} refers to *{event.anchor[:80]}, which is not there, or not yet whole.")
        value, values, characters, below = self._anchors[event.anchor]
        if depth + below > _deepest:
            raise UnreadableYaml(f"it is nested more than {_deepest} levels deep.")
        self._count(values, characters)
        return value, below

    def _count(self, values: int, characters: int) -> None:
        self._values += values
        self._characters += characters
        if self._values > _most_values:
            raise UnreadableYaml(f"it stands for more than {_most_values} values.")
        if self._characters > _most_characters:
            raise UnreadableYaml(f"it stands for more than {_most_characters} characters.")


def _scalar(event: yaml.ScalarEvent) -> str | None:
    _refuse_tag(event)
    return None if event.implicit[0] and not event.style and event.value in _null else event.value


def _refuse_tag(event: yaml.Event) -> None:
    if event.tag not in (None, "!", _text_tag):
        raise UnreadableYaml(f"line {event.start_mark.line + 1} has the tag {event.tag[:80]!r}; tags have no meaning here.")
