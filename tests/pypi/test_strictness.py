"""What a namespace of each strictness insists on, by the file's own metadata."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from entrepot.plugin import Inspection, InvalidPackage, Strictness
from entrepot.services.strictness import check_objections
from entrepot_pypi.packagetype import PypiType
from pypi_builder import build_sdist, build_wheel

IMPORT, PRIVATE, PUBLIC = Strictness
Inspect = Callable[[tuple[str, bytes], Strictness], Inspection]
SINGLE = {
    **dict.fromkeys(("Author", "Maintainer", "License", "Keywords"), "somebody"),
    **dict.fromkeys(("Author-Email", "Maintainer-Email"), "ann@example.org"),
    **dict.fromkeys(("Home-Page", "Download-URL"), "https://example.org"),
}
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"


@pytest.fixture(scope="module")
def judge(pypi: PypiType) -> Inspect:
    """Inspect a file as a namespace of a strictness does."""

    def judged(built: tuple[str, bytes], strictness: Strictness) -> Inspection:
        inspection = pypi.inspect(io.BytesIO(built[1]), built[0])
        check_objections(inspection, strictness)
        return inspection

    return judged


def newest(*headers: tuple[str, str], requires: tuple[str, ...] = (), version: str = "2.4") -> tuple[str, bytes]:
    return build_wheel("foo", "1.0", requires, headers=headers, metadata_version=version)


@pytest.mark.parametrize(
    "built",
    [
        newest(
            ("License-Expression", "MIT OR Apache-2.0"),
            ("Classifier", "Programming Language :: Python :: 3"),
            ("Author-Email", "Jörg <joerg@example.org>, ann@example.org"),
            ("Project-URL", "Home, https://example.org"),
            ("Home-Page", "http://example.org/a b".replace(" ", "%20")),
            requires=("bar[fast]>=1; python_version > '3'",),
        ),
        newest(("Dynamic", "Requires-Dist"), version="2.2"),
        *(build_wheel("foo", "1.0", metadata_version=version) for version in ("1.0", "1.1", "1.2", "2.1", "2.3", "2.5", "2.6")),
        build_wheel("Foo.Bar", "1.0", tag="cp311-cp311-manylinux_2_17_x86_64"),
        build_wheel("foo", "1.0", tag="cp311-abi3-macosx_11_0_arm64"),
        build_wheel(
            "foo",
            "1.0",
            tag="cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64",
            wheel=(f"{WHEEL}Tag: cp311-cp311-manylinux2014_aarch64\nTag: cp311-cp311-manylinux_2_17_aarch64\n".encode()),
        ),
        build_wheel("foo", "1.0", tag="cp311-cp311-musllinux_1_2_x86_64"),
        build_wheel("foo", "1.0", tag="cp311-cp311-win_amd64"),
        build_wheel("foo", "1.0", tag="cp313-cp313-ios_13_0_arm64_iphoneos"),
        build_sdist("Foo.Bar", "1.0"),
        build_sdist("foo", "1.0", metadata_version="1.2"),
    ],
    ids=lambda built: built[0],
)
def test_what_the_tools_of_today_build_is_taken_everywhere(judge: Inspect, built: tuple[str, bytes]) -> None:
    assert judge(built, PUBLIC).objections == ()


@pytest.mark.parametrize(
    ("built", "sentence"),
    [
        (build_wheel("foo", "1.0+local"), "local part"),
        (build_wheel("foo", "1.0", tag="cp311-cp311-linux_x86_64"), "platform tag 'linux_x86_64'"),
        (build_wheel("foo", "1.0", tag="cp311-cp311-manylinux_2_17_x86_64.linux_x86_64"), "platform tag 'linux_x86_64'"),
        (build_wheel("foo", "1.0", wheel=WHEEL.encode()), "Tag|tags in the wheel's WHEEL"),
        (build_wheel("foo", "1.0", wheel=f"{WHEEL}Tag: py2-none-any\n".encode()), "tags in the wheel's WHEEL"),
        (build_wheel("foo", "1.0", wheel=f"{WHEEL}Tag: py3-none-any\nTag: py2-none-any\n".encode()), "tags in the wheel's WHEEL"),
        (build_wheel("Foo", "1.0", basename="Foo-1.0-py3-none-any.whl"), "does not begin with the normalized name"),
        (build_wheel("foo.bar", "1.0", basename="foo.bar-1.0-py3-none-any.whl"), "does not begin with the normalized name"),
        (build_wheel("foo", "1.0", basename="foo-1.0.0-py3-none-any.whl"), "does not begin with the normalized name"),
        (build_sdist("foo", "1.0", format="zip"), "PEP 625"),
        (build_sdist("foo-bar", "1.0", basename="foo-bar-1.0.tar.gz"), "PEP 625"),
        (build_sdist("Foo", "1.0", basename="Foo-1.0.tar.gz"), "PEP 625"),
        (build_sdist("foo", "1.0.post1", basename="foo-1.0-1.tar.gz"), "PEP 625"),
        (newest(version="2.0"), "Metadata-Version 2.0 is none"),
        (newest(("License-Expression", "MIT"), version="2.3"), "license-expression, which its"),
        (newest(("License-Expression", "MIT"), ("License", "MIT License"), version="2.3"), "license-expression, which its"),
        (newest(("Provides-Dist", "bar @ https://example.org/bar.whl")), "metadata provides 'bar @ https:"),
        (newest(("Obsoletes-Dist", "bar@https://example.org/bar.whl")), "metadata obsoletes 'bar@https:"),
        *((newest((field, one), (field, one)), f"says {field.lower()} more than once") for field, one in SINGLE.items()),
        (newest(("Project-URL", "Home, https://example.org"), ("Project-URL", "Home, https://example.com")), "says project-url more than once"),
        (newest(("Project-URL", "Home")), "Project-URL 'Home' is not a label, a comma and a URL"),
        (newest(("Project-URL", "Home,")), "Project-URL 'Home' is not a label, a comma and a URL"),
        (newest(("Project-URL", "https://example.org")), "Project-URL 'https://example.org' is not a label"),
        (newest(("Classifier", "Private :: Ours")), "classifier 'Private :: Ours' is not known"),
        (newest(("Classifier", "Natural Language :: Ukranian")), "is deprecated: use Natural Language :: Ukrainian"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_public_registry_refuses_is_taken_in_a_house_of_its_own(judge: Inspect, built: tuple[str, bytes], sentence: str) -> None:
    assert judge(built, PRIVATE).name
    assert judge(built, IMPORT).name
    with pytest.raises(InvalidPackage, match=sentence):
        judge(built, PUBLIC)


@pytest.mark.parametrize("version", ["2.1", "2.4"])
def test_an_import_tells_machines_only_what_they_can_read(judge: Inspect, version: str) -> None:
    wrong = (("Requires-Python", ">=3.6.*"), ("License-Expression", "Free for all"))
    imported = judge(newest(*wrong, version=version), IMPORT)
    assert imported.license == "Free for all"
    assert imported.attributes["license"] == "Free for all"
    assert not imported.attributes.keys() & {"requires_python", "license_expression"}
    assert b"Requires-Python: >=3.6.*" in imported.extras[0].body
    right = judge(newest(("Requires-Python", ">=3.6"), ("License-Expression", "MIT"), ("Provides-Extra", "-bad-"), version=version), IMPORT)
    assert (right.attributes["requires_python"], right.attributes["license_expression"]) == (">=3.6", "MIT")
    both = judge(newest(("License", "Of ours"), wrong[1], version=version), IMPORT)
    assert (both.license, both.attributes["license"]) == ("Of ours", "Of ours")


def test_a_summary_has_512_characters(judge: Inspect) -> None:
    head = b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\nSummary: "
    assert judge(build_wheel("foo", "1.0", metadata=head + b"x" * 512 + b"\n\n"), PUBLIC).summary
    long = build_wheel("foo", "1.0", metadata=head + b"x" * 513 + b"\n\n")
    assert judge(long, IMPORT).summary
    with pytest.raises(InvalidPackage, match="longer than 512"):
        judge(long, PRIVATE)


def test_of_very_many_addresses_none_is_cut_in_two(judge: Inspect) -> None:
    addresses = ", ".join(f"author{number:04}@example.org" for number in range(200))
    assert judge(newest(("Author-Email", addresses)), PUBLIC).attributes["author_email"] == addresses


@pytest.mark.parametrize(
    ("built", "sentence"),
    [
        (newest(("Requires-Python", ">=3.6.*")), "requires-python"),
        (newest(requires=("bar>=1.*.1",)), "requires-dist"),
        (newest(("License-Expression", "Free for all")), "license-expression"),
        (newest(("License-Expression", "Free for all"), version="2.1"), "license-expression"),
        (newest(("License-Expression", "MIT"), ("License", "MIT")), "PEP 639"),
        (newest(("License-File", "LICENSE")), "license file 'LICENSE'"),
        (newest(("License-File", "../LICENSE")), "license-file"),
        (newest(("Provides-Extra", "-bad-")), "provides-extra"),
        (build_sdist("foo", "1.0", metadata_version="2.4", headers=[("License-File", "LICENSE")]), "license file 'LICENSE'"),
        (build_wheel("foo", "1.0", wheel=f"{WHEEL}Tag: py3-any\n".encode()), "Tag that cannot be read"),
        (build_wheel("foo", "1.0", wheel=f"{WHEEL}Tag: {'-'.join(['.'.join('a' * 300)] * 3)}\n".encode()), "Tag that cannot be read"),
        (newest(version="2.17"), "Metadata-Version is newer"),
        (newest(("Dynamic", "Requires-Dist"), version="2.1"), "dynamic, which its Metadata-Version does not know"),
        (newest(("Import-Name", "foo"), version="2.4"), "import-names, which its"),
        (newest(("Author-Email", "nobody")), "author-email holds"),
        (newest(("Maintainer-Email", "a@b")), "maintainer-email holds"),
        (newest(("Home-Page", "example.org")), "is no URL"),
        (newest(("Download-URL", "javascript:alert(1)")), "is no URL"),
        (newest(("Project-URL", "Home, ftp://example.org")), "is no URL"),
        (newest(("Project-URL", f"{'x' * 33}, https://example.org")), "label of a project URL"),
        (newest(requires=("bar @ https://example.org/bar-1.0.tar.gz",)), "is a URL"),
        (newest(requires=("bar[a, b]@https://example.org/bar-1.0.tar.gz",)), "is a URL"),
        (build_wheel("foo", "1.0", wheel=f"{WHEEL}Tag: 0-a-b\n".encode()), "Tag that cannot be read"),
        (build_wheel("foo", "1.0", wheel=f"{WHEEL}Tag: a--b\n".encode()), "Tag that cannot be read"),
        (newest(("Author-Email", "x" * 3000)), "author-email holds"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_imported_and_not_published_anew(judge: Inspect, built: tuple[str, bytes], sentence: str) -> None:
    assert judge(built, IMPORT).name == "foo"
    for strictness in (PRIVATE, PUBLIC):
        with pytest.raises(InvalidPackage, match=sentence):
            judge(built, strictness)


@pytest.mark.parametrize(
    "built",
    [
        build_wheel("foo", "1.0", record=b""),
        build_wheel("foo", "1.0", files={"../evil.py": b""}),
        build_wheel("foo", "1.0", files={"evil-1.0.dist-info/METADATA": b""}),
        build_wheel("foo", "1.0", basename="bar-1.0-py3-none-any.whl"),
        build_sdist("foo", "1.0", basename="bar-1.0.tar.gz"),
        build_sdist("foo", "1.0", files={"../../evil.py": b""}),
        build_wheel("foo", "1.0", files={"foo-1.0.dist-info/entry_points.txt": b"[console_scripts]\n../a = c\n"}),
    ],
    ids=["record", "way out", "second dist-info", "renamed wheel", "renamed sdist", "way out of an sdist", "script with a path"],
)
def test_no_strictness_lets_in_what_harms(judge: Inspect, built: tuple[str, bytes]) -> None:
    with pytest.raises(InvalidPackage):
        judge(built, IMPORT)
