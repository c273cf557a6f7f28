"""Another machine's view of files, without another machine: for tests of a farm whose nodes call the share otherwise.

::

    view = OtherView(tmp_path, tmp_path_factory.mktemp("far"))
    subprocess.Popen([*view.launcher, "daemon-of-the-farm"])

For that program and its children the share and the assets have other names, and what has their names here is empty. It
needs mount namespaces of Linux, and root.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["JOB", "OtherView"]

_MOUNT = 'mount --bind "$1" "$2" && mount --bind "$3" "$4" && mount -t tmpfs none "$5" && shift 5 && exec "$@"'

#: A job that writes where it works, what it is given, whether that is there, and what it reads by a rule of the path
#: map (the variable ``ASSETS`` is to hold the name of the assets here), as JSON that is its output.
JOB = """
import json, os, pdgcmd, pdgjson
item = pdgjson.WorkItem.fromJobEnvironment()
path = os.path.join(os.environ["PDG_DIR"], item.name + ".json")
inputs = [pdgcmd.localizePath(each[0]) for each in item.inputResultData]
told = {"cwd": os.getcwd(), "inputs": inputs, "there": [os.path.exists(each) for each in inputs]}
told["asset"] = open(pdgcmd.localizePath(os.environ["ASSETS"] + "/texture.txt")).read()
with open(path, "w") as stream:
    json.dump(told, stream)
pdgcmd.addOutputFile(path)
"""


class OtherView:
    """What the share and the assets are called: ``here`` and ``assets`` on this machine, ``there`` and ``far`` there.

    All below ``folder`` is hidden over there; ``elsewhere`` must lie outside of it.
    """

    def __init__(self, folder: Path, elsewhere: Path) -> None:
        """Make the directories, one for the working directory ``show`` in the share, and a text among the assets."""
        self._hidden = folder
        self.here, self.assets = folder / "here", folder / "assets"
        self.there, self.far = elsewhere / "mnt_show", elsewhere / "mnt_assets"
        for path in (self.here / "show", self.assets, self.there, self.far):
            path.mkdir(parents=True)
        (self.assets / "texture.txt").write_text("red", encoding="utf-8")

    @staticmethod
    def is_possible() -> bool:
        """Whether a process can be given a view of its own: only root may."""
        return hasattr(os, "geteuid") and os.geteuid() == 0

    @property
    def launcher(self) -> tuple[str, ...]:
        """The words in front of those of a program that is to see what the other machine does."""
        places = (self.here, self.there, self.assets, self.far, self._hidden)
        return ("unshare", "--mount", "sh", "-c", _MOUNT, "sh", *map(str, places))

    @property
    def parms(self) -> str:
        """The lines of a scheduler's parms that say so, in a network file."""
        return (
            f'localsharedroot = "{self.here}"\nremotesharedroot = "{self.there}"\n'
            'pdg_workingdir = "show"\npdg_usemapzone = 1\npdg_mapzone = "FARM"\n'
        )

    @property
    def pathmap(self) -> str:
        """The rule for the assets, a table of a network file."""
        return f'[[pathmap]]\nfrom = "{self.assets}"\nto = "{self.far}"\nzone = "FARM"\n'
