"""Directories, tokens and paths of ``pdg.Scheduler``."""

from __future__ import annotations

import os
import posixpath
import threading
from typing import Any

from topcook.contract.env import expand_vars
from topcook.contract.pathmap import VARIABLE, PathRule, PathRules, local_zone, to_farm
from topcook.contract.scheduler_link import SchedulerLink
from topcook.contract.tokens import expand_tokens, in_farms_view
from topcook.errors import RecursionTrapError
from topcook.lean import pattern
from topcook.model.enums import Platform

#: Directory tokens of a path, and the method that answers each. A path is made portable by the first that fits, so the
#: inner directories come first.
PATH_TOKENS: dict[str, str] = {
    "__PDG_SCRIPTDIR__": "scriptDir",
    "__PDG_TEMP__": "tempDir",
    "__PDG_SHARED_TEMP__": "tempDir",
    "__PDG_DIR__": "workingDir",
    "__PDG_SHARED_ROOT__": "workingDir",
}
_PATH_TOKEN = pattern("|".join(PATH_TOKENS))
_ABSOLUTE = pattern(r"/|\\\\|[A-Za-z]:[\\/]|[A-Za-z][\w+.-]*://")


class SchedulerPaths(SchedulerLink):
    """Where things are, in this machine's view (``local``) and in the farm's."""

    _topcook_asking: frozenset[int] = frozenset()
    _topcook_places: tuple[str, dict[str, str]] = ("", {})

    def workingDir(self, local: bool = True) -> str:
        """The working directory: as set with ``setWorkingDir``, else from ``pdg_workingdir``."""
        return self._topcook.directories.working_dir(local=bool(local))

    def tempDir(self, local: bool = True) -> str:
        """The cook's directory for temporary files: ``<working>/pdgtemp/<cook>`` unless it was set."""
        return self._topcook.directories.temp_dir(local=bool(local))

    def scriptDir(self, local: bool = True) -> str:
        """The directory of the scripts that jobs import: ``<temp>/scripts`` unless it was set."""
        return self._topcook.directories.script_dir(local=bool(local))

    def dataDir(self, local: bool = True) -> str:
        """The directory of the items' data files: ``<temp>/data``."""
        return self._topcook.directories.data_dir(local=bool(local))

    def logDir(self, local: bool = True) -> str:
        """The directory of the jobs' logs: ``<temp>/logs``."""
        return self._topcook.directories.log_dir(local=bool(local))

    def getLocalLogDir(self) -> str:
        """``logDir`` as this machine sees it."""
        return self.logDir(True)

    def setWorkingDir(self, local_path: str, remote_path: str | None = None) -> None:
        """Set the working directory in both views; a relative one starts at ``$HIP``."""
        self._topcook.directories.working = self._topcook_views(local_path, remote_path)

    def setTempDir(self, local_path: str, remote_path: str | None = None) -> None:
        """Set the temp directory in both views."""
        self._topcook.directories.temp = self._topcook_views(local_path, remote_path)

    def setScriptDir(self, local_path: str, remote_path: str | None = None) -> None:
        """Set the script directory in both views."""
        self._topcook.directories.script = self._topcook_views(local_path, remote_path)

    def _topcook_views(self, local_path: Any, remote_path: Any) -> tuple[str, str]:
        env = self._topcook.graph.environment()
        local = expand_vars(os.fspath(local_path), env)
        remote = local if remote_path is None else expand_vars(os.fspath(remote_path), env)
        full = os.path.normpath(os.path.join(env.get("HIP") or os.getcwd(), local))
        # A relative remote path that is the local one means the same place; any other is the farm's own affair.
        return full, full if remote == local else remote

    def cleanTempDirectory(self) -> bool:
        """Remove the cook's temp directory; false when it is not one this cook made."""
        directories = self._topcook.directories
        temp = directories.temp_dir(local=True)
        if temp not in directories.made or os.path.realpath(directories.working_dir(local=True)).startswith(
            os.path.realpath(temp)
        ):
            return False
        import shutil

        shutil.rmtree(temp, ignore_errors=True)
        directories.made -= {path for path in directories.made if path.startswith(temp)}
        return True

    # tokens and paths

    def localizePath(self, path: Any) -> str:
        """``path`` as this machine sees it: tokens and variables replaced, a relative path below the working directory.

        A path in the farm's view of the working directory is brought over, others by the path maps. Raises
        ``RecursionTrapError`` when ``workingDir`` asks for the working directory again by way of this.
        """
        text = os.fsdecode(path) if path else ""
        if not text:
            return ""
        text = expand_vars(text, self._topcook.graph.environment())
        if "__PDG_" in text:
            text = _PATH_TOKEN.sub(lambda match: self._topcook_local(PATH_TOKENS[match.group()], str(path)), text)
            return text.replace("__PDG_HFS__", self._topcook.graph.environment().get("HFS", ""))
        if not _ABSOLUTE.match(text):
            return posixpath.normpath(posixpath.join(self._topcook_local("workingDir", text), text))
        return self._topcook_mapped(text)

    def _topcook_mapped(self, path: str) -> str:
        local, remote = self._topcook.directories.working
        rows, env = self._topcook.graph.network.path_maps, self._topcook.graph.environment()
        if local == remote and not rows and VARIABLE not in env:
            return path
        below = PathRule(remote, local).apply(path) if local != remote else None
        return self._topcook_path_map().mapped(path, local_zone(env)) if below is None else below

    def _topcook_path_map(self) -> PathRules:
        """The path map for this scheduler: the network's rules, then those of ``$PDG_PATHMAP``."""
        graph = self._topcook.graph
        return PathRules.of(graph.network.path_maps, graph.environment()).for_scheduler(self._topcook.name)

    def delocalizePath(self, path: Any) -> str:
        """``path`` with the directory it lies in as a token; the inverse of ``localizePath``."""
        text = os.fsdecode(path) if path else ""
        for token, method in PATH_TOKENS.items():
            for local in (True, False):
                folder = str(getattr(self, method)(local)).rstrip("/")
                found = PathRule(folder, token).apply(text) if folder else None
                if found is not None:
                    return found
        return text

    def formatTransferPath(self, file_path: Any) -> str:
        """Where ``transferFile`` puts a file, as a path with a token."""
        return "__PDG_DIR__/" + self._topcook_place(self._topcook_source(file_path))

    def transferFile(self, file_path: Any) -> bool:
        """Copy a file or directory that items depend on into the working directory; whether it is there now.

        What lies below ``$HIP`` keeps its place, anything else lands at the top. The same content is not copied again;
        a file appears whole or not at all, with its time and mode. A failure is told with ``cookWarning``; it is one,
        too, when another file of this cook has that place already.
        """
        from topcook.contract.transfer import transfer

        source = self._topcook_source(file_path)
        folder = self._topcook_local("workingDir", str(file_path))
        if _is_below(os.path.realpath(source), os.path.realpath(folder)) and os.path.exists(source):
            return True
        place = self._topcook_place(source)
        other = self._topcook_placed(place, source)
        if other != source:
            self.cookWarning(
                f'cannot transfer "{source}" into "{folder}": "{other}" has the place "{place}" there already\n'
                "    rename one of the two, or put it below the network file's directory"
            )
            return False
        try:
            transfer(source, os.path.join(folder, place))
        except OSError as error:
            about = f" ({error.filename})" if error.filename and error.filename != source else ""
            self.cookWarning(f'cannot transfer "{source}" into "{folder}": {error.strerror or error}{about}')
            return False
        return True

    def _topcook_source(self, file_path: Any) -> str:
        text = expand_vars(os.fsdecode(file_path), self._topcook.graph.environment())
        if "__PDG_" in text:
            return self.localizePath(text)
        return os.path.normpath(os.path.join(self._topcook.graph.environment().get("HIP") or os.getcwd(), text))

    def _topcook_place(self, source: str) -> str:
        hip = self._topcook.graph.environment().get("HIP", "")
        if hip and _is_below(source, hip.rstrip("/")) and source != hip:
            return os.path.relpath(source, hip)
        return os.path.basename(source)

    def _topcook_placed(self, place: str, source: str) -> str:
        """Who has this place in the working directory, in this cook; ``source`` takes it when it is free."""
        cook = self._topcook.directories.cook
        if cook != self._topcook_places[0]:
            self._topcook_places = (cook, {})
        return self._topcook_places[1].setdefault(place, source)

    def _topcook_local(self, method: str, path: str) -> str:
        """This machine's answer of ``workingDir`` and its kin, unless we are inside of just that question."""
        thread = threading.get_ident()
        if thread in self._topcook_asking:
            raise RecursionTrapError(
                f'workingDir and localizePath of "{self.name}" call each other without end over "{path}"\n'
                "    localizePath asks workingDir(True) where this machine's directory is\n"
                "    let workingDir(True) answer without localizePath, as by "
                'self["pdg_workingdir"].evaluateString()'
            )
        self._topcook_asking |= {thread}
        try:
            return str(getattr(self, method)(True))
        finally:
            self._topcook_asking -= {thread}

    # programs

    def expandCommandTokens(self, item_command: str, work_item: Any = None) -> str:
        """The command with its ``__PDG_X__`` tokens replaced, once; unknown ones stay.

        Paths below this machine's working directory, such as those of ``@pdg_input``, come in the farm's view of it.
        """
        text = expand_tokens(item_command or "", self, work_item)
        working = self._topcook.directories.working
        rule = to_farm(working) if working[0] != working[1] else None
        return text if rule is None else in_farms_view(text, rule)

    def applicationBin(self, name: str, work_item: Any = None) -> str:
        """The program for an application: ``PDG_<NAME>`` of the environment, else what is sensible here.

        A class of 17.5's kind that defines ``pythonBin(platform)`` or ``hythonBin(platform)`` is asked first.
        """
        old = getattr(self, f"{name}Bin", None)
        if callable(old):
            return str(old(Platform.Linux))
        if name == "python":
            return self._pythonBin()
        if name == "hython":
            return self._hythonBin()
        return self._topcook.graph.environment().get(f"PDG_{name.upper()}", name)

    def _pythonBin(self) -> str:
        """``$PDG_PYTHON``, else the interpreter that runs this cook."""
        import sys

        return self._topcook.graph.environment().get("PDG_PYTHON") or sys.executable

    def _hythonBin(self) -> str:
        """``$PDG_HYTHON``, else Houdini's own below ``$HFS``, else ``hython`` from the path."""
        env = self._topcook.graph.environment()
        return env.get("PDG_HYTHON") or (posixpath.join(env["HFS"], "bin", "hython") if env.get("HFS") else "hython")


def _is_below(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or lies in it, in either kind of slash."""
    inside = (folder,) if folder.endswith(("/", "\\")) else (folder + "/", folder + "\\")
    return path == folder or path.startswith(inside)
