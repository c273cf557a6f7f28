"""Public: what authors of schedulers and node types test with."""

from __future__ import annotations
