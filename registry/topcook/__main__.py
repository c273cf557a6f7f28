"""``python -m topcook`` is the command ``topcook``."""

from __future__ import annotations

from topcook.cli import main

if __name__ == "__main__":
    main(prog_name="topcook")
