"""The file half of ``pdg.WorkItem``: what it takes, what it made, what it should make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.expressions import input_files
from topcook.contract.workitem_attributes import ItemAttributes
from topcook.model.files import File, tag_for

if TYPE_CHECKING:
    from collections.abc import Iterable

OldFile = tuple[str, str, int]


def made_file(path: Any, tag: Any = "", hash: Any = 0, own: bool = True) -> File:
    """A file from a path (``str``, bytes or a ``File``); an empty tag is read off the extension.

    A tag may be bytes, too, as files that go back to Python 2 encode it.
    """
    if isinstance(path, File):
        return path
    text = _text_of(path)
    return File(text, _text_of(tag or "") or tag_for(text), int(hash or 0), bool(own))


def _text_of(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


class ItemFiles(ItemAttributes):
    """Files by list and by tag; the ``…Data`` names are those of 17.5 and give tuples."""

    __slots__ = ()

    @property
    def inputFiles(self) -> list[File]:
        """The dependencies' files."""
        return input_files(self.record)

    @property
    def outputFiles(self) -> list[File]:
        """What the item has made."""
        return list(self.record.outputs or ())

    @property
    def expectedOutputFiles(self) -> list[File]:
        """What the item is expected to make."""
        return list(self.record.expected_outputs or ())

    @property
    def inputResultData(self) -> list[OldFile]:
        """``inputFiles`` as (path, tag, checksum)."""
        return _tuples(self.inputFiles)

    @property
    def resultData(self) -> list[OldFile]:
        """``outputFiles`` as (path, tag, checksum)."""
        return _tuples(self.outputFiles)

    @property
    def expectedResultData(self) -> list[OldFile]:
        """``expectedOutputFiles`` as (path, tag, checksum)."""
        return _tuples(self.expectedOutputFiles)

    def inputFilesForTag(self, tag: str) -> list[File]:
        """The input files of a tag, ``file/image/exr`` counted with ``file/image``."""
        return _tagged(self.inputFiles, tag)

    def outputFilesForTag(self, tag: str) -> list[File]:
        """The output files of a tag."""
        return _tagged(self.outputFiles, tag)

    def expectedOutputFilesForTag(self, tag: str) -> list[File]:
        """The expected output files of a tag."""
        return _tagged(self.expectedOutputFiles, tag)

    def inputResultDataForTag(self, tag: str) -> list[OldFile]:
        """``inputFilesForTag`` as tuples."""
        return _tuples(self.inputFilesForTag(tag))

    def resultDataForTag(self, tag: str) -> list[OldFile]:
        """``outputFilesForTag`` as tuples."""
        return _tuples(self.outputFilesForTag(tag))

    def firstOutputFileForTag(self, tag: str) -> File | None:
        """The first output file of a tag."""
        return next(iter(self.outputFilesForTag(tag)), None)

    def firstInputFileForTag(self, tag: str) -> File | None:
        """The first input file of a tag."""
        return next(iter(self.inputFilesForTag(tag)), None)

    def addOutputFile(self, path: Any, tag: str = "", hash: Any = 0, own: bool = True) -> None:
        """Say that the item made a file; the same path again replaces tag and checksum."""
        self.addOutputFiles([path], tag, [hash], own)

    def addOutputFiles(self, paths: Iterable[Any], tag: str = "", hashes: Iterable[Any] = (), own: bool = True) -> None:
        """Say that the item made several files."""
        self.record.outputs = _joined(self.record.outputs, paths, tag, hashes, own)

    def addResultData(self, result: Any, tag: str = "", checksum: Any = 0, own: bool = True) -> None:
        """17.5's name of ``addOutputFile``."""
        self.addOutputFile(result, tag, checksum, own)

    def addExpectedOutputFile(self, path: Any, tag: str = "", own: bool = True) -> None:
        """Say what file the item is going to make."""
        self.addExpectedOutputFiles([path], tag, own)

    def addExpectedOutputFiles(self, paths: Iterable[Any], tag: str = "", own: bool = True) -> None:
        """Say what files the item is going to make."""
        self.record.expected_outputs = _joined(self.record.expected_outputs, paths, tag, (), own)

    def addExpectedResultData(self, path: Any, tag: str = "", own: bool = True) -> None:
        """17.5's name of ``addExpectedOutputFile``."""
        self.addExpectedOutputFile(path, tag, own)

    def updateOutputFile(self, path: Any, hash: Any = 0) -> bool:
        """Set the checksum of a file the item has already named; whether it had."""
        found = [made for made in self.record.outputs or () if made.path == str(path)]
        for made in found:
            made.hash = int(hash or 0)
        return bool(found)

    def clearOutputFiles(self) -> None:
        """Forget what the item made; the files themselves stay."""
        self.record.outputs = None


def _joined(old: list[File] | None, paths: Iterable[Any], tag: str, hashes: Iterable[Any], own: bool) -> list[File]:
    known = {made.path: made for made in old or ()}
    sums = iter(hashes)
    for path in paths:
        made = made_file(path, tag, next(sums, 0), own)
        known[made.path] = made
    # A new list, for the old one may be shared with the item this one passes through.
    return list(known.values())


def _tagged(files: Iterable[File], tag: str) -> list[File]:
    return [made for made in files if made.tag == tag or made.tag.startswith(tag + "/")]


def _tuples(files: Iterable[File]) -> list[OldFile]:
    return [(made.path, made.tag, made.hash) for made in files]
