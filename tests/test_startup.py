"""What looking at the menu must not pay for, and must not need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NETWORK = ROOT / "examples" / "turntable" / "turntable.toml"
BUILTIN_TYPE = ROOT / "pdg_types" / "localscheduler.py"

# Heavy, and needed for nothing that `topcook list` does.
HEAVY = ("asyncio", "concurrent.futures", "defusedxml", "http.server", "rich", "textual", "watchdog", "xmlrpc")
# Needed where something changed, or was chosen, and not by a list of what is known.
FOR_CHANGES = (
    "hashlib",
    "importlib_metadata",
    "platformdirs",
    "pluggy",
    "subprocess",
    "tomllib",
    "topcook.contract.callbacks",
    "topcook.contract.validate",
    "topcook.factory.probing",
    "topcook.factory.typeregistry",
    "topcook.model.enums",
    "topcook.model.node",
    "topcook.runtime",
    "urllib.parse",
)

# Needed by cooks that run processes, hear reports or probe types, and not by one that does all in this process.
FOR_OTHER_COOKS = (
    *HEAVY,
    "copy",
    "dataclasses",
    "difflib",
    "hashlib",
    "importlib_metadata",
    "platformdirs",
    "secrets",
    "shlex",
    "shutil",
    "subprocess",
    "sysconfig",
    "tempfile",
    "topcook.author.detached",
    "topcook.author.jobenvironment",
    "topcook.author.local",
    "topcook.cli.excerpt",
    "topcook.cli.plan",
    "topcook.contract.validate",
    "topcook.factory.probing.session",
    "topcook.model.graphfile.healthy",
    "topcook.runtime.keeper.client",
    "topcook.runtime.keeper.launch",
    "topcook.runtime.resultserver.dispatch",
    "topcook.runtime.resultserver.loop",
)
IN_PROCESS = """
[network]
name = "one"
scheduler = "here"
[schedulers.here]
type = "inprocessscheduler"
[nodes.items]
type = "itemgraph"
[nodes.items.parms]
file = "$HIP/items.jsonl"
"""

# What Windows does not have, taken away before anything of ours is imported.
WITHOUT_POSIX = """
import os, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {"fcntl", "grp", "pty", "pwd", "resource", "termios"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
for name in ("fcntl", "grp", "pty", "pwd", "resource", "termios"):
    sys.modules.pop(name, None)
for name in ("fork", "forkpty", "geteuid", "killpg", "posix_spawn", "register_at_fork", "setsid"):
    if hasattr(os, name):
        delattr(os, name)
def getuid():  # platformdirs imports it wherever it is not Windows, and need not call it
    raise AttributeError("module 'os' has no attribute 'getuid'")
os.getuid = getuid
from topcook.cli import main
main(sys.argv[1:])
"""

AND_SAY_WHAT_WAS_LOADED = """
import sys
from topcook.cli import main
try:
    main(sys.argv[1:])
finally:
    print("loaded:", *sorted(sys.modules), file=sys.stderr)
"""


def topcook(code: str, *arguments: str | Path, cache: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PDG_", "TOPCOOK_"))}
    environment |= {"HOME": str(cache), "XDG_CACHE_HOME": str(cache), "XDG_STATE_HOME": str(cache)}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=cache,
    )


def test_listing_a_known_menu_loads_nothing_heavy(tmp_path: Path) -> None:
    first = topcook(AND_SAY_WHAT_WAS_LOADED, "list", cache=tmp_path)
    assert first.returncode == 0, first.stderr
    # The second time nothing has changed: no probe runs, and none of its machinery is loaded.
    second = topcook(AND_SAY_WHAT_WAS_LOADED, "list", cache=tmp_path)
    assert second.stdout == first.stdout
    loaded = set(second.stderr.partition("loaded:")[2].split())
    assert "topcook.cli" in loaded
    assert not [name for name in (*HEAVY, *FOR_CHANGES) if name in loaded]


def test_cooking_in_this_process_loads_nothing_that_other_cooks_need(tmp_path: Path) -> None:
    network = tmp_path / "one.toml"
    network.write_text(IN_PROCESS)
    (tmp_path / "items.jsonl").write_text('{"name": "it", "inprocess": true}\n')
    for _ in range(2):
        done = topcook(AND_SAY_WHAT_WAS_LOADED, "cook", network, "--progress", "off", cache=tmp_path)
        assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.partition("loaded:")[2].split())
    assert "topcook.runtime.journal.writer" in loaded
    assert not [name for name in FOR_OTHER_COOKS if name in loaded]


@pytest.mark.parametrize(
    "arguments",
    [("list",), ("tab",), ("check", BUILTIN_TYPE), ("expand", NETWORK), ("doctor",), ("doctor", "local")],
    ids=["list", "tab", "check", "expand", "doctor", "doctor of a name"],
)
def test_looking_and_authoring_need_nothing_that_windows_lacks(
    arguments: tuple[str | Path, ...], tmp_path: Path
) -> None:
    done = topcook(WITHOUT_POSIX, *arguments, cache=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout


def test_a_scheduler_is_written_checked_and_packed_without_what_windows_lacks(tmp_path: Path) -> None:
    file = tmp_path / "mine" / "my_farm.py"
    for arguments in (
        ("new", "my_farm", "--dir", file.parent),
        ("check", file, file.parent),
        ("pack", file, "--dist-name", "topcook-my-farm", "--dir", tmp_path / "project"),
    ):
        done = topcook(WITHOUT_POSIX, *arguments, cache=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "project" / "topcook_my_farm" / "my_farm.py").is_file()
