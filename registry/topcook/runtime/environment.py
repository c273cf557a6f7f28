"""The environment of a job: the ``PDG_*`` variables of pdgcmd and of the help pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.model.attributes import AttribFlag, AttribType
from topcook.runtime.tokens import attempt_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topcook.model.directories import Directories
    from topcook.model.workitem import WorkItem


def common_variables(directories: Directories, server: str, secret: str, home: str) -> dict[str, str]:
    """What every job of a scheduler gets, in the farm's view of the directories."""
    variables = {
        "PDG_DIR": directories.working_dir(local=False),
        "PDG_SHARED_ROOT": directories.working_dir(local=False),
        "PDG_TEMP": directories.temp_dir(local=False),
        "PDG_SHARED_TEMP": directories.temp_dir(local=False),
        "PDG_SCRIPTDIR": directories.script_dir(local=False),
        "PDG_ITEM_DATA_SOURCE": "0",
        "PDG_JOBUSE_PDGNET": "0",
        "HIP": home,
    }
    if server:
        variables["PDG_RESULT_SERVER"] = server
        variables["PDG_RESULT_SECRET"] = secret
    return variables


def item_variables(item: WorkItem, token: str) -> dict[str, str]:
    """What one item's job gets on top: who it is, which attempt this is, and its exported attributes."""
    variables = {
        "PDG_ITEM_NAME": item.name,
        "PDG_ITEM_ID": str(item.id),
        "PDG_ITEM_LABEL": item.label or item.name,
        "PDG_INDEX": str(item.index),
        "PDG_INDEX4": f"{item.index:04d}",
        "PDG_ITEM_ATTEMPT": str(attempt_of(item)),
        "PDG_ITEM_TOKEN": token,
    }
    variables.update(exported_attributes(item))
    return variables


def exported_attributes(item: WorkItem) -> Mapping[str, str]:
    """The attributes flagged ``EnvExport`` as variables: components joined by spaces, files by their path."""
    if not item.attributes:
        return {}
    exported = {}
    for name, attribute in item.attributes.items():
        if attribute.flags & AttribFlag.EnvExport:
            values = (value.path if attribute.type is AttribType.File else value for value in attribute.values)
            exported[name] = " ".join(str(value) for value in values)
    return exported
