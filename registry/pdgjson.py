"""``import pdgjson`` on the host, as scheduler files do: ``pdgjob.pdgjson`` under its name in jobs."""

from __future__ import annotations

import sys

from pdgjob import pdgjson

sys.modules[__name__] = pdgjson
