"""Start the keeper: ``python -I -S main.py ENGINE_FD LISTENER_FD``.

It stays this short because Python compiles its main script anew at every start, but keeps what the script imports.
"""

from __future__ import annotations

import importlib
import os
import sys

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    importlib.import_module("program.loop").main(int(sys.argv[1]), int(sys.argv[2]))
