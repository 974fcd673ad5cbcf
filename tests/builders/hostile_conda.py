"""Conda packages that no server may take, by what is wrong with them, each with words of the sentence that refuses it."""

from __future__ import annotations

import bz2
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple

import zstandard
from conda_builder import index_json, info_documents, pack_conda

MiB = 1 << 20
STEM = "foo-1.0-0"
END = b"\0" * 1024
_matched = 43_000 * 3
_metadata = b'{"conda_pkg_format_version": 2}'
_names = ("metadata.json", f"pkg-{STEM}.tar.zst", f"info-{STEM}.tar.zst")
_large = Random(0).randbytes(MiB)


class Hostile(NamedTuple):
    """A package that is refused."""

    words: str
    build: Callable[[], bytes]
    ext: str = ".conda"


def zstd(*pieces: bytes) -> bytes:
    """A frame of each, one behind the other."""
    return b"".join(zstandard.compress(piece) for piece in pieces)


def zstd_checked(body: bytes) -> bytes:
    """A frame that ends in a checksum of four bytes."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(body)


def matches(first: bytes, blocks: int) -> bytes:
    """A frame of a few bytes a block, each block of which copies three bytes 43,000 times: what takes a decompressor longest (RFC 8878, 3.1.1.3)."""
    count, no_literals, tables = 43_000, b"\x01\x20", b"\x54\x00\x00\x00\x01"  # every table has one symbol
    body = no_literals + b"\xff" + (count - 0x7F00).to_bytes(2, "little") + tables
    head = zstandard.MAGIC_NUMBER.to_bytes(4, "little") + b"\x00" + bytes([(20 - 10) << 3])  # a window of 1 MiB
    raw = (len(first) << 3).to_bytes(3, "little") + first
    return head + raw + (((len(body) << 3) | 4).to_bytes(3, "little") + body) * blocks + b"\x01\0\0"


def wide(body: bytes, window_log: int) -> bytes:
    """One frame with a window of its own size."""
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=window_log)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return compressor.compress(body) + compressor.flush()


def header(name: str, kind: bytes = tarfile.REGTYPE, body: bytes = b"", target: str = "", size: int | None = None) -> bytes:
    """One tar member with its content, padded; `size` is what the header says where that is not the content's."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, target, len(body) if size is None else size
    return member.tobuf(tarfile.GNU_FORMAT) + body + b"\0" * (-len(body) % 512)


def pax(**records: str) -> bytes:
    """A header with these records for the member that follows."""
    body = b""
    for key, value in records.items():
        rest = f" {key.replace('__', '.')}={value}\n".encode()
        length = len(rest) + len(str(len(rest) + 2))
        body += str(length).encode() + rest
    return header("pax", tarfile.XHDTYPE, body)


def info(**documents: bytes) -> bytes:
    """The members below info/, without an end; documents replace those of a good package, `index` is index.json."""
    good = info_documents(index_json("foo", "1.0", "0", "noarch", (), {}), {})
    bodies = good | {f"{name}.json": body for name, body in documents.items()}
    return b"".join(header(f"info/{name}", body=body) for name, body in bodies.items())


def conda(info_frames: bytes | None = None, pkg_frames: bytes | None = None, **more: Any) -> bytes:
    """A .conda of these compressed halves, which are good unless given."""
    halves = (_metadata, pkg_frames or zstd(END), info_frames or zstd(info() + END))
    return pack_conda(STEM, info=b"", members=list(zip(_names, halves, strict=True)), **more)


def members(*added: tuple[str, bytes]) -> bytes:
    """A good .conda with more members, or with its own replaced."""
    good = dict(zip(_names, (_metadata, zstd(END), zstd(info() + END)), strict=True))
    return pack_conda(STEM, info=b"", members=[*(good | dict(added)).items()])


def v1(*pieces: bytes) -> bytes:
    """A .tar.bz2 of these pieces, a stream of each."""
    return b"".join(bz2.compress(piece) for piece in pieces)


def indexed(**overrides: Any) -> bytes:
    """A .conda with other values in index.json."""
    return conda(zstd(info(index=json.dumps(index_json("foo", "1.0", "0", "noarch", (), overrides)).encode()) + END))


def raw(document: bytes) -> bytes:
    """A .conda with this index.json."""
    return conda(zstd(info(index=document) + END))


def spoiled(at: Callable[[bytes, zipfile.ZipFile], int], value: bytes) -> bytes:
    """A good .conda with bytes replaced."""
    body = bytearray(conda())
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        start = at(bytes(body), archive)
    body[start : start + len(value)] = value
    return bytes(body)


def with_gap() -> bytes:
    """Bytes between the last member and the directory, which only a reader of the stream sees."""
    body = conda()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        start = archive.start_dir
    moved = body[start:-22] + body[-22:-6] + struct.pack("<L", start + 40) + body[-2:]
    return body[:start] + b"PK\3\4".ljust(40, b"\0") + moved


def with_zip64_elsewhere() -> bytes:
    """A ZIP64 end that knows of another directory than the end does."""
    body = conda()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        start = archive.start_dir
    length = len(body) - 22 - start
    record = b"PK\6\6" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, 3, 3, length, start + 7)
    return body[:-22] + record + b"PK\6\7" + struct.pack("<LQL", 0, len(body) - 22, 1) + body[-22:]


def damaged_header() -> bytes:
    """A member whose header has one bit more than its sum says."""
    member = bytearray(header("info/x"))
    member[0] ^= 1
    return bytes(member)


def wrong_sum() -> bytes:
    """A member whose sum is wrong by the modulus of adler32."""
    member = bytearray(header("x"))
    member[148:156] = b"%06o\0 " % (int(member[148:154], 8) + 65521)
    return bytes(member)


def negative_size() -> bytes:
    """A member that goes backwards."""
    member = bytearray(header("x"))
    member[124:136] = b"\xff" * 12
    member[148:156] = b" " * 8
    member[148:156] = b"%06o\0 " % sum(member)
    return bytes(member)


def pkg(*parts: bytes) -> Callable[[], bytes]:
    """A .conda with these members in its pkg archive."""
    return lambda: conda(pkg_frames=zstd(b"".join(parts) + END))


def infos(*parts: bytes) -> Callable[[], bytes]:
    """A .conda with these members in its info archive, behind the good ones."""
    return lambda: conda(zstd(info() + b"".join(parts) + END))


def both(name: str, words: str, *parts: bytes) -> Mapping[str, Hostile]:
    """These members in the pkg archive of a .conda, and behind the metadata of a .tar.bz2."""
    return {
        f"{name}, in a pkg archive": Hostile(words, pkg(*parts)),
        f"{name}, in a tar.bz2": Hostile(words, lambda: v1(info() + b"".join(parts) + END), ".tar.bz2"),
    }


ZIPS = {
    "text": Hostile("a package of no type|no conda package", lambda: b"nothing at all", ".conda"),
    "four members": Hostile("holds exactly metadata.json", lambda: members(("evil.txt", b"x"))),
    "a member with a path": Hostile("holds exactly metadata.json", lambda: members(("../evil.txt", b"x"))),
    "compressed members": Hostile("must be stored", lambda: conda(compression=zipfile.ZIP_DEFLATED)),
    "another format version": Hostile("reads version 2", lambda: members(("metadata.json", b'{"conda_pkg_format_version": 3}'))),
    "an endless metadata.json": Hostile("metadata.json is larger", lambda: members(("metadata.json", _metadata + b" " * 5000 + b"x"))),
    "bytes behind the end": Hostile("damaged or cut short|belong to no member", lambda: conda() + b"x"),
    "a comment": Hostile("belong to no member", lambda: spoiled(lambda body, _: len(body) - 2, b"\1\0") + b"x"),
    "bytes in a gap": Hostile("belong to no member", with_gap),
    "a second directory": Hostile("in front of the ZIP", with_zip64_elsewhere),
    "a header with another size": Hostile("something else of itself", lambda: spoiled(lambda body, _: 18, b"\1")),
    "a header with another name": Hostile("damaged", lambda: spoiled(lambda body, _: 30, b"M")),
    "a member cut out": Hostile("in front of the ZIP", lambda: conda()[:60] + conda()[61:]),
    "a pkg archive that is no zstd": Hostile("pkg-foo-1.0-0.tar.zst is damaged", lambda: members((_names[1], b"plain"))),
    "a pkg archive that is nothing": Hostile("damaged or cut short", lambda: members((_names[1], zstandard.compress(b"")))),
    "a pkg archive cut short": Hostile("damaged or cut short", lambda: members((_names[1], zstd(header("x", body=b"x" * 900) + END)[:-9]))),
    **{
        f"a pkg archive without its last {count} bytes": Hostile(
            "damaged or cut short",
            lambda count=count: members((_names[1], zstd_checked(header("x", body=b"x" * 900) + END)[:-count])),  # type: ignore[misc]
        )
        for count in (1, 4, 5, 8)
    },
    "many small frames": Hostile("small compressed streams", lambda: conda(pkg_frames=zstd(header("x", size=MiB)) + zstd(b"x") * 99_999)),
    "a GiB of matches of three bytes": Hostile("more time to unpack", lambda: conda(pkg_frames=matches(header("x", size=_matched * 8000), 8000))),
    "a pkg archive with a bit turned": Hostile("damaged", lambda: spoiled(lambda body, archive: archive.infolist()[1].header_offset + 70, b"\xaa")),
}
INFLATED = {
    "a window of 256 MiB": Hostile("too much memory", lambda: conda(pkg_frames=wide(header("x", size=4 * MiB) + bytes(4 * MiB) + END, 28))),
    "the widest window, filled": Hostile("cut short", lambda: conda(pkg_frames=wide(header("x", size=1 << 30) + _large * 130, 27))),
    "metadata of 256 MiB": Hostile("larger than 64 MiB", lambda: conda(zstd(header("info/x", size=256 * MiB)) + zstd(bytes(MiB)) * 256 + zstd(END))),
    "content of 10 GiB": Hostile("unpacks to more", lambda: conda(pkg_frames=zstd(header("x", size=10 << 30)) + zstd(bytes(16 * MiB)) * 640)),
    "content of 1 GiB, in a tar.bz2": Hostile(
        "unpacks to more", lambda: v1(info() + header("x", size=1 << 30)) + bz2.compress(bytes(8 * MiB)) * 128, ".tar.bz2"
    ),
    "an index.json of 256 MiB": Hostile(
        "index.json is larger than 1 MiB", lambda: conda(zstd(header("info/index.json", size=256 * MiB)) + zstd(bytes(MiB)) * 256)
    ),
    "a hundred thousand files": Hostile("more files than", lambda: conda(pkg_frames=zstd(header("lib/x") * 1000) * 100 + zstd(END))),
    "a hundred thousand files, in a tar.bz2": Hostile(
        "more files than", lambda: v1(info()) + bz2.compress(header("lib/x") * 1000) * 100 + bz2.compress(END), ".tar.bz2"
    ),
    "long paths in great number": Hostile(
        "longer paths than",
        lambda: conda(pkg_frames=zstd(header("l", tarfile.SYMTYPE, target="x")) + zstd(header("a/" * 47 + "a") * 1000) * 29 + zstd(END)),
    ),
    "a header of 32 MiB": Hostile("longer than any path", pkg(header("x", tarfile.GNUTYPE_LONGNAME, size=32 * MiB))),
    "many small bzip2 streams": Hostile(
        "small compressed streams", lambda: v1(info() + header("x", size=MiB)) + bz2.compress(b"x") * 9999, ".tar.bz2"
    ),
    "a bzip2 stream cut short": Hostile("damaged or cut short", lambda: v1(info() + END)[:-1], ".tar.bz2"),
    "a bzip2 stream with a bit turned": Hostile(
        "damaged or cut short", lambda: v1(info(), header("x", body=b"x" * 5000) + END)[:-20] + b"\xaa" * 20, ".tar.bz2"
    ),
}
PATHS = {
    **both("a path upwards", "outside of the package", header("../evil")),
    **both("a path upwards in the middle", "outside of the package", header("a/../../evil")),
    **both("a path from the root", "outside of the package", header("/etc/evil")),
    **both("a path upwards for Windows", "outside of the package", header("..\\evil")),
    **both("a drive", "outside of the package", header("C:evil")),
    **both("a path of pax headers upwards", "outside of the package", pax(path="../evil") + header("good")),
    **both("a long name upwards", "outside of the package", header("x", tarfile.GNUTYPE_LONGNAME, b"../evil\0") + header("good")),
    **both("a hard link upwards", "outside of the package", header("x", tarfile.LNKTYPE, target="../../etc/passwd")),
    **both("a file behind a link", "behind a symbolic link", header("x", tarfile.SYMTYPE, target="/etc"), header("x/evil")),
    **both("a file in place of a link", "behind a symbolic link", header("x", tarfile.SYMTYPE, target="/etc/evil"), header("./x")),
    **both(
        "a file behind a link's other name",
        "behind a symbolic link",
        header("x", tarfile.SYMTYPE, target="/etc"),
        header("y", tarfile.LNKTYPE, target="x"),
        header("y/evil"),
    ),
    **both("a file behind a link in another case", "behind a symbolic link", header("A", tarfile.SYMTYPE, target="/etc"), header("a/evil")),
    **both("a file behind a link with a dot", "behind a symbolic link", header("a", tarfile.SYMTYPE, target="/etc"), header("a./evil")),
    **both(
        "a file behind a link with other accents",
        "behind a symbolic link",
        header("l/caf\u00e9", tarfile.SYMTYPE, target="/etc"),
        header("l/cafe\u0301/evil"),
    ),
    **both("a file in place of a link in another case", "behind a symbolic link", header("X", tarfile.SYMTYPE, target="/etc/evil"), header("x")),
    **both("a file below a file", "below it", header("bin"), header("bin/x")),
    **both("a file above a file", "below it", header("lib/python/x"), header("lib/python")),
    **both("a file that looks like a folder", "the path of a folder", header("bin/")),
    **both("a file that is the package", "the path of a folder", header("./.")),
    **both("an empty path", "an empty path", pax(path="") + header("../evil")),
    **both("an empty long name", "an empty path", header("x", tarfile.GNUTYPE_LONGNAME, b"\0") + header("../evil")),
    **both("an empty link", "an empty linkpath", pax(linkpath="") + header("x", tarfile.LNKTYPE, target="../../etc/passwd")),
    **both("a link to nothing", "link to nothing", header("x", tarfile.LNKTYPE)),
    **both("a path of 2000 characters", "longer than 1024", pax(path="x" * 2000) + header("x")),
    **both("a path 60 folders deep", "deeper than 48", header("a/" * 45, tarfile.DIRTYPE) + pax(path="a/" * 60 + "a") + header("x")),
    **both("another spelling of info", "second info/", header("Info/index.json", body=b"{}")),
    **both("info with a dot", "second info/", header("info./index.json", body=b"{}")),
    "a second info": Hostile("second info/", pkg(header("info/index.json", body=b"{}"))),
    "a second info under a long name": Hostile("second info/", pkg(pax(path=".//info//paths.json") + header("x", body=b"{}"))),
    "a link in place of info": Hostile("second info/", pkg(header("info", tarfile.SYMTYPE, target="evil"))),
    "a program among metadata": Hostile("belongs into the pkg archive", infos(header("bin/evil"))),
    "two index.json": Hostile("index.json twice", infos(header("./info/index.json", body=b"{}"))),
    "two index.json, in a tar.bz2": Hostile(
        "index.json twice", lambda: v1(info() + header("bin/x") + header("info/index.json", body=b"{}") + END), ".tar.bz2"
    ),
    "two paths.json": Hostile("paths.json twice", infos(header("info/paths.json", body=b"{}"))),
    "another spelling of index.json": Hostile("index.json twice", infos(header("info/Index.json", body=b"{}"))),
    "an index.json that is a link": Hostile(
        "must be a regular file", lambda: conda(zstd(header("info/index.json", tarfile.SYMTYPE, target="/etc/passwd") + END))
    ),
    "an index.json that is a folder by its name": Hostile("the path of a folder", lambda: conda(zstd(header("info/index.json/", body=b"{}") + END))),
    "a paths.json that is a link": Hostile(
        "paths.json must be a regular file", lambda: conda(zstd(header("info/paths.json", tarfile.SYMTYPE, target="/etc/passwd") + info() + END))
    ),
    "a list of links that is a link": Hostile("no_link must be a regular file", infos(header("info/no_link", tarfile.SYMTYPE, target="/etc/passwd"))),
    "no index.json": Hostile("no info/index.json", lambda: conda(zstd(header("info/files") + END))),
}
HEADERS = {
    **both("a device", "special file", header("x", tarfile.CHRTYPE)),
    **both("a pipe", "special file", header("x", tarfile.FIFOTYPE)),
    **both("a global header", "special file", header("x", tarfile.XGLTYPE, b"16 path=../evil\n") + header("x")),
    **both("a sparse file", "special file", header("x", tarfile.GNUTYPE_SPARSE)),
    **both("a sparse file of pax headers", "sparse file", pax(GNU__sparse__major="1", GNU__sparse__minor="0") + header("x")),
    **both("a link with content", "with content", header("x", tarfile.SYMTYPE, b"x" * 512, "y")),
    **both("a file of two sizes", "two sizes", pax(size="0") + header("x", body=header("../evil"))),
    **both("a file of two names", "two paths", pax(path="x") + header("y", tarfile.GNUTYPE_LONGNAME, b"z\0") + header("good")),
    **both("a negative size", "negative size", negative_size()),
    **both("a damaged header", "damaged or cut short", damaged_header()),
    **both("a sum that is wrong by a modulus", "damaged or cut short", wrong_sum()),
    **both("a folder to some readers", "some for a file", pax(path="x") + header("x/", tarfile.AREGTYPE)),
    **both("a file to some readers", "some for a file", pax(path="x/") + header("x", tarfile.AREGTYPE)),
    "a second frame behind the end mark": Hostile(
        "behind its end mark", lambda: conda(pkg_frames=zstd(header("x") + END[:512], header("evil") + END))
    ),
    **both("something behind the end mark", "behind its end mark", END + header("evil")),
    "no end mark": Hostile("damaged or cut short", lambda: conda(pkg_frames=zstd(header("x")))),
    "headers of nothing": Hostile("damaged or cut short", pkg(pax(path="x"))),
}
DOCUMENTS = {
    "NaN": Hostile("not valid JSON", lambda: raw(b'{"name": NaN}')),
    "bytes that are no UTF-8": Hostile("not valid JSON", lambda: raw(b'{"name": "\xff"}')),
    "half of a pair": Hostile("not valid JSON", lambda: raw(b'{"name": "\\ud800"}')),
    "U+0000": Hostile(r"U\+0000", lambda: raw(b'{"name": "\\u0000"}')),
    "40 levels": Hostile("levels deep", lambda: raw(b'{"a":' + b"[" * 40 + b"]" * 40 + b"}")),
    "a number beyond 64 bits": Hostile("beyond 64 bits", lambda: raw(b'{"a": 18446744073709551616}')),
    "a key twice": Hostile("'name' twice", lambda: raw(b'{"name": "foo", "name": "bar"}')),
    "a key twice among fifty thousand": Hostile(
        "'kc34f' twice", lambda: raw(b"{" + b"".join(b'"k%x":0,' % number for number in range(50_000)) + b'"kc34f":0}')
    ),
    "a long unknown key": Hostile("up to 131072", lambda: indexed(big="a" * 1_000_000)),
    "many long dependencies": Hostile("up to 131072", lambda: indexed(depends=[f"foo >={'1' * 1000}"] * 900)),
    "many long run exports": Hostile(
        "run_exports would", lambda: conda(zstd(info(run_exports=json.dumps({"weak": [f"foo >={'1' * 1000}"] * 900}).encode()) + END))
    ),
    "a list": Hostile("must be a JSON object", lambda: raw(b"[]")),
    "half a million numbers": Hostile("has no name", lambda: raw(b'{"a":[' + b"1," * 500_000 + b"1]}")),
    "a name of a path": Hostile("name", lambda: indexed(name="../foo")),
    "a virtual package": Hostile("virtual packages", lambda: indexed(name="__glibc")),
    "a name in capitals": Hostile("name", lambda: indexed(name="Foo")),
    "a version with a hyphen": Hostile("version", lambda: indexed(version="1-0")),
    "a version of 65 digits": Hostile("version", lambda: indexed(version="1" * 65)),
    "a build with a hyphen": Hostile("build", lambda: indexed(build="a-b")),
    "a subdir upwards": Hostile("subdir", lambda: indexed(subdir="../../alice", noarch=None)),
    "a subdir with a slash": Hostile("subdir", lambda: indexed(subdir="linux-64/x", noarch=None)),
    "another file's name": Hostile("named after 'foo-1.0-0'", lambda: indexed(version="2.0")),
    "a timestamp of 10**30": Hostile("beyond 64 bits", lambda: indexed(timestamp=10**30)),
    "a timestamp in the year 2286": Hostile("in the future", lambda: indexed(timestamp=9_999_999_999_999)),
    "a timestamp before 1970": Hostile("timestamp", lambda: indexed(timestamp=-1)),
    "a build number that is text": Hostile("build_number", lambda: indexed(build_number="1")),
    "a dependency that is a number": Hostile("depends", lambda: indexed(depends=[1])),
    "dependencies that are text": Hostile("depends", lambda: indexed(depends="python")),
    "a constraint of two lines": Hostile("constrains", lambda: indexed(constrains=["foo\nbar"])),
    "a dependency of two operators": Hostile("no match specification", lambda: indexed(depends=["zlib >=>=1"])),
    "a dependency that ends in the middle": Hostile("no match specification", lambda: indexed(depends=["zlib [version='"])),
    "old dependencies that are text": Hostile("requires", lambda: indexed(requires="foo")),
    "extras under the name that conda has for them": Hostile("CEP 48", lambda: indexed(**{"extra-depends": {"a": ["b"]}})),
    "a record of a later version": Hostile("record_version", lambda: indexed(record_version=2)),
    "a record of a version that is text": Hostile("record_version", lambda: indexed(record_version="1")),
    "a date that is a number": Hostile("date", lambda: indexed(date=20130521)),
    "a date that is none": Hostile("date", lambda: indexed(date="1-2-3-4-5-6-7-8-9")),
    "a preferred environment that is a number": Hostile("preferred_env", lambda: indexed(preferred_env=5)),
    "a license that is a number": Hostile("license", lambda: indexed(license=3)),
    "noarch for a platform": Hostile("noarch", lambda: indexed(subdir="linux-64", noarch="generic")),
    "run exports that are text": Hostile("run_exports", lambda: conda(zstd(info(run_exports=b'{"weak": "x"}') + END))),
    "run exports of a key twice": Hostile("'weak' twice", lambda: conda(zstd(info(run_exports=b'{"weak": [], "weak": []}') + END))),
}
HOSTILE: Mapping[str, Hostile] = {**ZIPS, **INFLATED, **PATHS, **HEADERS, **DOCUMENTS}
