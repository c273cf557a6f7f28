"""Networks as texts, for tests in which what is cooked matters more than how a file says it."""

from __future__ import annotations

__all__ = ["LOCAL", "makes"]

#: The head of a network that cooks on this machine.
LOCAL = """
[network]
scheduler = "local"
[schedulers.local]
type = "localscheduler"
[schedulers.local.parms]
pdg_workingdir = "$HIP/work"
"""


def makes(node: str, command: str, output: str = "", *, of: str = "", settings: str = "", parms: str = "") -> str:
    """A node whose items run ``command``, which writes ``output``: an item for each of the node ``of``, if there is one.

    ``settings`` are further lines of the node, ``parms`` of its parms.
    """
    lines = [f"[nodes.{node}]", 'type = "genericgenerator"']
    lines += [f'inputs = ["{of}"]'] if of else []
    lines += [settings] if settings else []
    lines += [f"[nodes.{node}.parms]"]
    lines += [parms] if parms else []
    lines += [f'command = "{command}"']
    lines += [f'outputs = [ {{ path = "{output}" }} ]'] if output else []
    return "\n".join(lines) + "\n"
