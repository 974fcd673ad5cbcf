"""The package type as the core and people see it: its plugin, its GraphQL fields, its commands."""

from __future__ import annotations

import dataclasses
from importlib.metadata import entry_points

import entrepot_conda
from conda_builder import build_conda
from conda_channel import conda, store
from entrepot.plugin import File, PackageSummary
from entrepot.registry import Registry
from entrepot_conda.graphql import CondaFile, CondaLinks, CondaRunExports


def test_the_plugin_is_found_by_its_entry_point_and_keeps_the_contract() -> None:
    (point,) = (point for point in entry_points(group="entrepot") if point.name == "conda")
    assert point.load() is entrepot_conda.plugin
    registry = Registry.of({"conda": entrepot_conda.plugin})
    assert list(registry.types) == ["conda"]


def test_noarch_exists_from_the_first() -> None:
    assert conda.standing_documents == ("noarch",)


def test_a_file_shows_its_fields_in_graphql() -> None:
    index = {"constrains": ["qux <3"], "license_family": "MIT"}
    fields = conda.graphql_fields(store(*build_conda("foo", "1.0", "py_3", "noarch", ["bar"], index=index)))
    assert fields == {
        "subdir": "noarch",
        "build": "py_3",
        "build_number": 3,
        "depends": ["bar"],
        "constrains": ["qux <3"],
        "license": "MIT",
        "license_family": "MIT",
        "timestamp": 1_700_000_000_000,
        "noarch": "generic",
        "run_exports": CondaRunExports(weak=[], strong=[], weak_constrains=[], strong_constrains=[], noarch=[]),
        "links": CondaLinks(home="https://example.org", dev_url=None, doc_url=None, source_url=None, license_url=None),
        "hotfix": None,
    }
    own = {field.name for field in dataclasses.fields(CondaFile)} - {field.name for field in dataclasses.fields(File)}
    assert set(fields) == own


def test_fields_that_a_package_lacks_are_null_and_seconds_are_milliseconds() -> None:
    index = {"license": None, "timestamp": 1_500_000_000, "noarch": None}
    fields = conda.graphql_fields(store(*build_conda("foo", "1.0", subdir="linux-64", index=index)))
    assert (fields["license"], fields["license_family"], fields["noarch"], fields["constrains"]) == (None, None, None, [])
    assert fields["timestamp"] == 1_500_000_000_000
    assert conda.graphql_fields(store(*build_conda("foo", "1.0", index={"timestamp": None})))["timestamp"] is None


def test_the_facet_names_the_platforms() -> None:
    facet = conda.facet(PackageSummary(namespace="alice", package="foo", name="foo", state={}, platforms=["linux-64", "noarch"], file_count=2))
    assert (facet.type, facet.platforms) == ("conda", ["linux-64", "noarch"])


def test_people_are_told_how_to_install() -> None:
    assert conda.install("Foo", "https://example.org/conda/alice/label/dev") == [
        "conda install -c https://example.org/conda/alice/label/dev foo",
        "mamba install -c https://example.org/conda/alice/label/dev foo",
        "pixi workspace channel add https://example.org/conda/alice/label/dev && pixi add foo",
    ]


def test_what_a_shell_would_run_is_quoted() -> None:
    assert "'https://x/$(reboot)'" in conda.install("foo", "https://x/$(reboot)")[0]
