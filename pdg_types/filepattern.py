"""File Pattern: one item per file that matches."""

from __future__ import annotations

import glob
import json
import os
import re
from typing import Any

import pdg
from pdg.processor import PyProcessor

KINDS = {
    "0": "files",
    "files": "files",
    "file": "files",
    "1": "directories",
    "directories": "directories",
    "dirs": "directories",
    "2": "both",
    "both": "both",
}
_DIGITS = re.compile(r"(\d+)")
_FRAME = re.compile(r"\$\{?F\d*(?!\w)")


class FilePattern(PyProcessor):
    """Finds files by ``pattern`` (``*``, ``?``, ``[ab]``; ``**`` for folders at any depth), in natural order.

    Each becomes an item with the file as its output and the attributes ``filename`` (without extension),
    ``extension``, ``directory``, ``size`` and ``modtime``. A relative pattern starts at the network's directory.
    ``recursive`` searches the folders below as well; ``filetypes`` is files, directories or both;
    ``tag`` (or ``resultdatatag``) replaces the tag read off the extension; ``indexfromfilesequence`` takes index
    and frame from the last number in the name; ``split = 0`` makes one item with all files; ``errornomatch`` fails
    where nothing matches.

    Without an input it looks before the cook. With one, it looks when upstream has cooked: once for each upstream
    item, which becomes the parent, when the pattern names its ``@attributes`` or frame; else once, when all have.
    """

    @classmethod
    def templateName(cls) -> str:
        """The type's name."""
        return "filepattern"

    @classmethod
    def templateBody(cls) -> str:
        """Its parms."""
        return json.dumps(
            {
                "name": "filepattern",
                "parameters": [
                    {"name": "pattern", "label": "Pattern", "type": "String"},
                    {"name": "filetypes", "label": "File Types", "type": "String", "value": "files"},
                    {"name": "recursive", "label": "Recursive", "type": "Toggle", "value": 0},
                    {"name": "tag", "label": "Tag", "type": "String"},
                    {"name": "resultdatatag", "label": "Tag", "type": "String"},
                    {
                        "name": "indexfromfilesequence",
                        "label": "Index from File Sequence",
                        "type": "Toggle",
                        "value": 0,
                    },
                    {"name": "split", "label": "Split Files into Separate Items", "type": "Toggle", "value": 1},
                    {"name": "errornomatch", "label": "Error on No Match", "type": "Toggle", "value": 0},
                ],
            }
        )

    @staticmethod
    def generateWhen(asked: Any, dynamic_inputs: bool, node: Any) -> Any:
        """Look late: the files of a network's pattern are what its upstream items make."""
        if asked not in {pdg.generateWhen.Automatic, pdg.generateWhen.EachUpstreamCooked}:
            return asked
        parm = node.parms.get("pattern")
        each = parm is not None and _names_attributes(str(parm.at(0)))
        return pdg.generateWhen.EachUpstreamCooked if each else pdg.generateWhen.AllUpstreamCooked

    def onGenerate(self, item_holder: Any, upstream_items: list[Any], generation_type: Any) -> Any:
        """Items for each parent, or for none."""
        if _names_attributes(str(self["pattern"].value)):
            for parent in upstream_items:
                self._add_files(item_holder, parent)
            return pdg.result.Success
        made = self._add_files(item_holder, None)
        # Upstream failed in part: what is found may not be all there shall be, so it waits, and is blocked.
        if generation_type is not pdg.generationType.Static:
            for item in made:
                for upstream in upstream_items:
                    if not upstream.isSuccessful:
                        item_holder.addDependency(item, upstream)
        return pdg.result.Success

    def _add_files(self, item_holder: Any, parent: Any) -> list[Any]:
        found = self._find(parent)
        groups = [[path] for path in found] if self["split"].evaluateBool() else [found] if found else []
        made = []
        for number, paths in enumerate(groups):
            sequence = _sequence_number(paths[0]) if self["indexfromfilesequence"].evaluateBool() else None
            index = sequence if sequence is not None else -1 if parent is not None and len(groups) == 1 else number
            item = item_holder.addWorkItem(parent=parent, automatic=True, index=index, frame=sequence)
            tag = self["tag"].evaluateString(parent) or self["resultdatatag"].evaluateString(parent)
            item.addOutputFiles(paths, tag)
            _describe(item, paths[0])
            made.append(item)
        return made

    def _find(self, parent: Any) -> list[str]:
        text = self["pattern"].evaluateString(parent)
        if not text.strip():
            raise pdg.CookError('"pattern" is empty; write it as pattern = "$HIP/frames/*.png"')
        path = self.localPath(text if parent is not None else text.replace("@@", "@"))
        if self["recursive"].evaluateBool() and "**" not in path:
            folder, name = os.path.split(path)
            path = os.path.join(folder, "**", name)
        kind = KINDS.get(self["filetypes"].evaluateString(parent).strip().lower())
        if kind is None:
            raise pdg.CookError(f'"filetypes" is none of {", ".join(KINDS)}')
        found = sorted((match for match in glob.iglob(path, recursive=True) if _is(kind, match)), key=_natural)
        if not found and self["errornomatch"].evaluateBool():
            raise pdg.CookError(f'no file matches "{path}"')
        return found


def _names_attributes(text: str) -> bool:
    return "@" in text.replace("@@", "") or _FRAME.search(text) is not None


def _is(kind: str, path: str) -> bool:
    return kind == "both" or os.path.isdir(path) == (kind == "directories")


def _natural(path: str) -> list[Any]:
    """Sort key in which ``a.9`` comes before ``a.10``."""
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in _DIGITS.split(path)]


def _sequence_number(path: str) -> int | None:
    numbers = _DIGITS.findall(os.path.splitext(os.path.basename(path))[0])
    return int(numbers[-1]) if numbers else None


def _describe(item: Any, path: str) -> None:
    name, extension = os.path.splitext(os.path.basename(path))
    item.setStringAttrib("filename", name)
    item.setStringAttrib("extension", extension)
    item.setStringAttrib("directory", os.path.dirname(path))
    try:
        about = os.stat(path)
    except OSError:
        return  # it vanished since it was found; the item's user will say so
    item.setIntAttrib("size", about.st_size)
    item.setFloatAttrib("modtime", about.st_mtime)
    # Whether the file is another one is looked at where files are compared, which may be by content.
    item.setAttribFlag("modtime", pdg.attribFlag.NoDirty, True)


def registerTypes(type_registry: Any) -> None:
    """Put the type into the menu."""
    type_registry.registerNode(FilePattern, pdg.nodeType.Processor, label="File Pattern", category="Generators")
