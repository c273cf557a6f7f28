"""The environment of jobs, and what is put on disk for them."""

from __future__ import annotations

import os
from typing import Any

from topcook.contract.env import expand_vars
from topcook.contract.pathmap import VARIABLE, ZONE_VARIABLE, PathRules, to_farm
from topcook.contract.scheduler_parms import SchedulerParms
from topcook.contract.scheduler_paths import SchedulerPaths


class SchedulerEnvironment(SchedulerParms, SchedulerPaths):
    """Variables by the conventions of job parms: ``<prefix>_envmulti``, ``<prefix>_inheritlocalenv``, …"""

    _topcook_advertised = ""

    @property
    def _workItemResultServerAddr(self) -> str:
        """The address that jobs are told. Many files read and set this attribute instead of calling the methods."""
        return self._topcook_advertised or self._topcook.result_server.address

    @_workItemResultServerAddr.setter
    def _workItemResultServerAddr(self, address: Any) -> None:
        self._topcook_advertised = str(address or "")

    def workItemResultServerAddr(self) -> str:
        """``host:port`` of the result server, which listens from now on if it did not: on loopback, or by the parms.

        With ``CallbackServerMixin`` it is the scheduler that starts and stops it.
        """
        if not self._workItemResultServerAddr:
            self._topcook.result_server.start(local_only=True, port_range=None)
        return self._workItemResultServerAddr

    def setWorkItemResultServerAddr(self, address: Any) -> None:
        """Advertise another address; an empty one takes that back."""
        self._workItemResultServerAddr = str(address or "")

    def addCommonJobEnvVars(self, env_dict: dict[str, str], work_item: Any) -> dict[str, str]:
        """Add the ``PDG_…`` variables of a job to ``env_dict``, which is also returned.

        Directories and result server are asked of this scheduler, so that what it overrides reaches the job.
        A scheduler that answers an empty result server address has jobs that do not report.

        In a whole environment (one with a ``PATH``) the script directory goes in front of ``PYTHONPATH``, so that jobs
        can ``import pdgcmd``; in a dict of additions that would hide the ``PYTHONPATH`` of the farm's machine.
        """
        record = self._topcook_record(work_item)
        if record is not None:
            env_dict.update(self._topcook.job_environment(record))
        working, temp, server = self.workingDir(False), self.tempDir(False), self.workItemResultServerAddr()
        env_dict.update(
            PDG_DIR=working,
            PDG_SHARED_ROOT=working,
            PDG_TEMP=temp,
            PDG_SHARED_TEMP=temp,
            PDG_SCRIPTDIR=self.scriptDir(False),
        )
        if server:
            env_dict["PDG_RESULT_SERVER"] = str(server)
        else:
            env_dict.pop("PDG_RESULT_SERVER", None)
        if "PATH" in env_dict or "PYTHONPATH" in env_dict:
            kept = [folder for folder in env_dict.get("PYTHONPATH", "").split(os.pathsep) if folder]
            scripts = env_dict["PDG_SCRIPTDIR"]
            env_dict["PYTHONPATH"] = os.pathsep.join([scripts, *(folder for folder in kept if folder != scripts)])
        self.resolvePathMapping(env_dict)
        return env_dict

    def resolvePathMapping(self, env_dict: dict[str, str]) -> None:
        """Add ``PDG_PATHMAP`` (the rules for this scheduler) and ``PDG_PATHMAP_ZONE`` to ``env_dict``, by the parms.

        Where the farm has another view of the working directory, the first rule is from ours to theirs, and ``HIP`` is
        theirs. ``pdg_mapmode`` 1 leaves jobs without a path map; with ``pdg_usemapzone`` they map for the zone
        ``pdg_mapzone``.
        """
        parms = self._topcook.parms
        mode, use_zone, zone = (parms.get(name) for name in ("pdg_mapmode", "pdg_usemapzone", "pdg_mapzone"))
        rules = self._topcook_path_map().rules if mode is None or not mode.at() else []
        rule = to_farm(self._topcook.directories.working)
        if rule is not None and (mode is None or not mode.at()):
            rules = [rule, *rules]
            if "HIP" in env_dict:
                env_dict["HIP"] = rule.apply(env_dict["HIP"]) or env_dict["HIP"]
        if rules:
            env_dict[VARIABLE] = PathRules(rules).to_json()
        else:
            env_dict.pop(VARIABLE, None)
        if use_zone is not None and use_zone.at() and zone is not None:
            env_dict[ZONE_VARIABLE] = expand_vars(str(zone.at()), self._topcook.graph.environment())

    def resolveEnvParams(self, prefix: str, work_item: Any, flag: Any = True) -> tuple[dict[str, str], list[str]]:
        """The variables that ``<prefix>_envmulti`` sets for an item, and the names ``<prefix>_envunset`` removes.

        Those of the item or its node come on top of the scheduler's, by name; what only they unset, the scheduler does
        not set. How PDG puts both together is not documented.
        """
        node = getattr(work_item, "node", None)
        variables: dict[str, str] = {}
        for number in range(1, self.evaluateIntOverride(node, prefix, "envmulti", work_item, 0) + 1):
            name = self.evaluateStringOverride(node, prefix, f"envname{number}", work_item, "")
            if name:
                variables[name] = self.evaluateStringOverride(node, prefix, f"envvalue{number}", work_item, "") or ""
        removed = (self.evaluateStringOverride(node, prefix, "envunset", work_item, "") or "").split()
        return self._topcook_own_variables(prefix, work_item, removed) | variables, removed

    def _topcook_own_variables(self, prefix: str, work_item: Any, removed: list[str]) -> dict[str, str]:
        """The scheduler's variables, where an item or its node has some, too, or has ``removed`` some; else none."""
        item = self._topcook_record(work_item)
        theirs = () if item is None else (*(item.attributes or ()), *item.node.job_parms)
        if not any(name.startswith(f"{prefix}_env") for name in theirs):
            return {}
        parms, variables = self._topcook.parms, {}
        count = parms.get(f"{prefix}_envmulti")
        if count is None:
            return {}
        for number in range(1, self._topcook_port(count).evaluateInt(work_item) + 1):
            named, valued = (parms.get(f"{prefix}_env{what}{number}") for what in ("name", "value"))
            name = "" if named is None else self._topcook_port(named).evaluateString(work_item)
            if name and (name not in removed or f"{prefix}_envunset" not in theirs):
                variables[name] = "" if valued is None else self._topcook_port(valued).evaluateString(work_item)
        return variables

    def resolveBaseEnvironment(self, prefix: str, base: Any = None, work_item: Any = None) -> dict[str, str]:
        """The environment that an item's job starts from.

        This cook's own (or ``base``) unless ``<prefix>_inheritlocalenv`` is off, without ``<prefix>_envunset``, with
        ``<prefix>_envmulti``.
        """
        node = getattr(work_item, "node", None)
        inherit = self.evaluateBoolOverride(node, prefix, "inheritlocalenv", work_item, True)
        variables = dict(base if base is not None else self._topcook.graph.environment()) if inherit else {}
        own, removed = self.resolveEnvParams(prefix, work_item)
        for name in removed:
            variables.pop(name, None)
        variables.update(own)
        return variables

    @staticmethod
    def getDefaultUserEnvironment() -> dict[str, str]:
        """The environment that this process runs in."""
        return dict(os.environ)

    def createJobDirsAndSerializeWorkItems(self, work_item: Any) -> bool:
        """Make the cook's directories on this machine and write the item's data file; always true."""
        self._topcook.prepare_item(self._topcook_record(work_item))
        return True

    def _copyJobSupportFiles(self) -> None:
        """Put ``pdgcmd.py``, ``pdgjson.py`` and ``pdgjob`` into the script directory."""
        self._topcook.copy_support_files()

    def _parseDatalayerParms(self) -> str:
        """Further arguments for a submitted cook: none, for Topcook has no data layer."""
        return ""
