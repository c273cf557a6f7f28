"""A job's script: writes a file, and reports it and what is in it."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.environ["PDG_SCRIPTDIR"])
import pdgcmd

path = os.path.join(os.environ["PDG_DIR"], sys.argv[1] + ".txt")
with open(path, "w") as stream:
    stream.write(sys.argv[1] + "\n")
pdgcmd.workItemStartCook()
pdgcmd.setIntAttrib("letters", len(sys.argv[1]), 0)
pdgcmd.addOutputFile(path, result_data_tag="file/txt")
