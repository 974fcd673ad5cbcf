"""What the documents in JSON hold of one name: pairs for their maps and names for `removed`, ready to be joined.

Each pair and name has its comma in front, so that fragments join as they are. Where all is for `packages.conda`, as in most channels today, a
fragment is nothing else, and begins with a comma: so it is a piece of the document as it is held, and never copied. Else the lengths of its sections
stand in front, four bytes each, of which the first is no comma.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from entrepot_conda.record import in_packages_conda, split_entries

Take = Callable[[bytes], bytes]
"""Answers one section of a fragment."""

_sections = 5
_length = 4
_comma = in_packages_conda


def of_records(entries: Sequence[bytes]) -> bytes:
    """For repodata.json and repodata_from_packages.json."""
    whole = b"".join(entries)
    if b"\n" not in whole and all(entry[:1] == in_packages_conda for entry in entries):
        return whole
    split = split_entries(entries)
    lines = [[entry.split(b"\n") for entry in where] for where in (split.packages, split.packages_conda)]
    served = [_joined(line[0] for line in where) for where in lines]
    if any(len(line) > 2 for where in lines for line in where):
        served += [_joined(split.removed), *(_joined(line[-1] if len(line) > 2 else line[0] for line in where) for where in lines)]
    else:
        served.append(_joined(split.removed))
    return _packed(served)


def of_run_exports(entries: Sequence[bytes]) -> bytes:
    """For run_exports.json."""
    split = split_entries(entries)
    return _packed([_joined(map(_exports, where)) for where in (split.packages, split.packages_conda)])


def packages(fragment: bytes) -> bytes:
    """The pairs for `packages`."""
    return b"" if fragment[:1] == _comma else _section(fragment, 0)


def packages_conda(fragment: bytes) -> bytes:
    """The pairs for `packages.conda`."""
    return fragment if fragment[:1] == _comma else _section(fragment, 1)


def removed(fragment: bytes) -> bytes:
    """The names for `removed`."""
    return b"" if fragment[:1] == _comma else _section(fragment, 2)


def unpatched_packages(fragment: bytes) -> bytes:
    """The pairs for `packages` as the packages have them."""
    return _section(fragment, 3) if _is_patched(fragment) else packages(fragment)


def unpatched_packages_conda(fragment: bytes) -> bytes:
    """The pairs for `packages.conda` as the packages have them."""
    return _section(fragment, 4) if _is_patched(fragment) else packages_conda(fragment)


def _is_patched(fragment: bytes) -> bool:
    """Who has a hotfix has a record too: one of the two sections is not empty."""
    return fragment[:1] != _comma and any(fragment[3 * _length : 5 * _length])


def _exports(entry: bytes) -> bytes:
    lines = entry.split(b"\n")
    name = lines[0][: lines[0].index(b'":{') + 1]
    return name + b':{"run_exports":' + (lines[1] if len(lines) > 1 else b"{}") + b"}"


def _joined(pairs: Iterable[bytes]) -> bytes:
    return b"".join(_comma + pair for pair in pairs)


def _packed(sections: Sequence[bytes]) -> bytes:
    if not any(section for at, section in enumerate(sections) if at != 1):
        return sections[1]
    lengths = [len(section) for section in sections] + [0] * (_sections - len(sections))
    return b"".join((*(length.to_bytes(_length, "big") for length in lengths), *sections))


def _section(fragment: bytes, number: int) -> bytes:
    lengths = [int.from_bytes(fragment[at : at + _length], "big") for at in range(0, (number + 1) * _length, _length)]
    start = _sections * _length + sum(lengths[:number])
    return fragment[start : start + lengths[number]]
