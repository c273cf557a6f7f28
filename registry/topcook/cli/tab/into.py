"""``topcook tab --into``: the choice written into a network file, whole or not at all."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

from topcook.cli.tab.entries import Entry
from topcook.cli.tab.pages import short_name
from topcook.cli.tab.place import Placed, add_node, place_scheduler
from topcook.errors import CookRefusedError, GraphFileError
from topcook.factory import Kind
from topcook.model.graphfile import GraphFile, read_network_file
from topcook.model.tomltext import toml_value

__all__ = ["Target"]


class Target:
    """A network, or one node of it, that a choice is written into."""

    def __init__(self, network: str, node: str | None = None, name: str | None = None) -> None:
        """Read the network before anybody chooses anything.

        Raises ``GraphFileError`` for one with mistakes, ``CookRefusedError`` for one that cannot be edited here or has
        no such node.
        """
        self.path = network
        self.node = node
        self.name = name
        self._file = read_network_file(network)
        if self._file.source.is_json:
            raise CookRefusedError(
                f'"{network}" is JSON, and only TOML networks are edited\n'
                f'    choose without --into, and write the name into the file: "scheduler": "NAME"'
            )
        if node is not None and node not in self._file.nodes:
            from difflib import get_close_matches

            close = get_close_matches(node, self._file.nodes, 1) or [", ".join(self._file.nodes)]
            raise CookRefusedError(f'"{network}" has no node "{node}"\n    there is: {close[0]}')

    def default_type(self) -> str:
        """The scheduler type that cooks it now; empty where the network names none."""
        file: GraphFile = self._file
        named = (file.nodes[self.node].scheduler if self.node is not None else None) or file.network.scheduler or ""
        return file.schedulers[named].type if named in file.schedulers else named

    def place(self, entry: Entry) -> str:
        """Write the choice; what was done, in a line. Raises TopcookError and OSError; the file is whole then."""
        raw = Path(self.path).read_bytes().decode("utf-8")
        mark = "\ufeff" if raw.startswith("\ufeff") else ""
        text = raw.removeprefix(mark)
        type_name, short = entry.record.name, short_name(entry.record.name)
        if entry.record.kind is Kind.NODE:
            placed = add_node(text, type_name, self.name or short)
            told = f"{self.path}:{placed.line}: [nodes.{placed.name}] added; connect it by its inputs"
        else:
            placed = place_scheduler(text, type_name, short, self.node, self.name)
            told = self._told(placed)
        self._write(mark + placed.text)
        return told

    def _told(self, placed: Placed) -> str:
        where = f'node "{self.node}"' if self.node is not None else "the network"
        told = f"{self.path}:{placed.line}: scheduler = {toml_value(placed.name)} for {where}"
        return told + (f"; [schedulers.{placed.name}] added at line {placed.block_line}" if placed.block_line else "")

    def _write(self, text: str) -> None:
        """Replace the file, whatever links lead to it, by a draft that reads as a network."""
        target = Path(os.path.realpath(self.path))
        draft = target.with_name(f".{target.stem}.{os.getpid()}.tmp{target.suffix}")
        try:
            with draft.open("xb") as stream:
                stream.write(text.encode("utf-8"))
                stream.flush()
                os.fsync(stream.fileno())
            draft.chmod(stat.S_IMODE(target.stat().st_mode))
            try:
                read_network_file(draft)
            except GraphFileError as error:
                problems = [replace(each, path=self.path) for each in error.problems]
                raise GraphFileError(problems, f'"{self.path}" was not changed') from None
            os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
