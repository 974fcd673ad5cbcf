"""Which files are conda environment files: YAML whose `dependencies` are a list of specifications. Bounded, and never raises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import BinaryIO

from entrepot_environment.document import UnreadableFile, read_text
from entrepot_environment.plainyaml import UnreadableYaml, load

_look = 64 << 10
_key = re.compile(rb"^ *[\"']?dependencies[\"']?[ \t]*:", re.MULTILINE)
_other_key = re.compile(rb"^ *[\"']?(name|channels|prefix)[\"']?[ \t]*:", re.MULTILINE)
_companions = frozenset(("name", "channels", "prefix", "platforms", "variables", "category"))


def is_environment(file: BinaryIO, basename: str) -> bool:
    """Whether the file lists dependencies as conda does; or would if it were sound, and is named so: then its inspection has the words for what is
    wrong with it.
    """
    head = file.read(_look)
    if not _key.search(head) or b"\0" in head:
        return False
    is_named = basename.lower().endswith((".yml", ".yaml"))
    file.seek(0)
    try:
        value = load(read_text(file))
    except (UnreadableFile, UnreadableYaml):
        return is_named and _other_key.search(head) is not None
    return isinstance(value, dict) and _lists_specifications(value, basename)


def _lists_specifications(document: Mapping[str, object], basename: str) -> bool:
    """`dependencies` stand in the manifests of Helm, Ansible, Dart and Crystal too: as mappings, or as lists of them, or of roles without a name."""
    if not _companions & document.keys() and "env" not in basename.lower():
        return False
    dependencies = document.get("dependencies")
    if not isinstance(dependencies, list) or not dependencies:
        return "channels" in document
    first = dependencies[0]
    return isinstance(first, str) or (isinstance(first, dict) and all(key == "pip" or key.startswith("sel(") for key in first))
