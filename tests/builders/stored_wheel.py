"""A wheel as the database knows it, for what is made of it without a site."""

from __future__ import annotations

from entrepot.plugin import StoredFile

WHEEL = StoredFile(
    namespace="alice",
    package="Foo",
    name="foo",
    version="1.0",
    path="foo-1.0-py3-none-any.whl",
    basename="foo-1.0-py3-none-any.whl",
    size=1234,
    sha256="ab" * 32,
    md5="cd" * 16,
    blake2b="ef" * 32,
    uploaded_at=1_700_000_000_123,
    attributes={"packagetype": "bdist_wheel", "python_tag": "py3"},
    state={},
    package_state={},
    extras={},
)
