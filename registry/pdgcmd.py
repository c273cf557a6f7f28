"""``import pdgcmd`` on the host, as scheduler files do: ``pdgjob.pdgcmd`` under its name in jobs."""

from __future__ import annotations

import sys

from pdgjob import pdgcmd

sys.modules[__name__] = pdgcmd
