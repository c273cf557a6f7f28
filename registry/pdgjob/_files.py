"""The files of a work item: what it takes, what it made, what it should make."""

import os

from pdgjob._paths import localizePath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class File:
    """``pdg.File``: a path, its tag, a checksum (0: none), and whether the item owns it."""

    __slots__ = ("hash", "own", "path", "tag")

    def __init__(self, path: str, tag: str = "", hash: int = 0, own: bool = True) -> None:
        self.path = path
        self.tag = tag
        self.hash = hash
        self.own = own

    @property
    def local_path(self) -> str:
        """The path as this machine knows it."""
        return localizePath(self.path)

    def __fspath__(self) -> str:
        return self.local_path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, File) and self.parts() == other.parts()

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return "<pdgjson.File %r tag=%r>" % (self.path, self.tag)

    def parts(self) -> "tuple[str, str, int, bool]":
        """``(path, tag, hash, owned)``, as a file attribute travels."""
        return self.path, self.tag, self.hash, self.own


def file_of(value: "Any", tag: str = "", hash_code: int = 0, own: bool = True) -> File:
    """A file from a File, a path, PDG's tuple, or an object of the data file."""
    if isinstance(value, File):
        return value
    if isinstance(value, dict):
        return File(
            str(value.get("file", value.get("data", ""))),
            str(value.get("tag", "")),
            int(value.get("hash", 0)),
            bool(value.get("own", True)),
        )
    if isinstance(value, (list, tuple)):
        return File(*value)
    return File(os.fsdecode(value), tag, hash_code, own)


class Files:
    """The file half of a work item."""

    def __init__(self, data: "dict[str, Any]") -> None:
        self._inputs = [file_of(made) for made in data.get("inputs", ())]
        self._outputs = [file_of(made) for made in data.get("outputs", ())]
        self._expected = [file_of(made) for made in data.get("expectedOutputs", ())]

    @property
    def inputFiles(self) -> "list[File]":
        """What its dependencies made."""
        return list(self._inputs)

    @property
    def outputFiles(self) -> "list[File]":
        """What it has made."""
        return list(self._outputs)

    @property
    def expectedOutputFiles(self) -> "list[File]":
        """What it should make."""
        return list(self._expected)

    @property
    def inputResultData(self) -> "list[tuple[str, str, int]]":
        """``inputFiles`` as 17.5 gave them: (path, tag, checksum)."""
        return [made.parts()[:3] for made in self._inputs]

    @property
    def resultData(self) -> "list[tuple[str, str, int]]":
        """``outputFiles`` as (path, tag, checksum)."""
        return [made.parts()[:3] for made in self._outputs]

    @property
    def expectedResultData(self) -> "list[tuple[str, str, int]]":
        """``expectedOutputFiles`` as (path, tag, checksum)."""
        return [made.parts()[:3] for made in self._expected]

    def inputFilesForTag(self, tag: str) -> "list[File]":
        """The input files of a tag, ``file/image/exr`` counted with ``file/image``."""
        return _tagged(self._inputs, tag)

    def outputFilesForTag(self, tag: str) -> "list[File]":
        """The output files of a tag."""
        return _tagged(self._outputs, tag)

    def expectedOutputFilesForTag(self, tag: str) -> "list[File]":
        """The expected output files of a tag."""
        return _tagged(self._expected, tag)


def _tagged(files: "list[File]", tag: str) -> "list[File]":
    return [made for made in files if made.tag == tag or made.tag.startswith(tag + "/")]
