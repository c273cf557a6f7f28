"""What a bench for whole cooks does for whoever tests a type of his own."""

from __future__ import annotations

from pathlib import Path

from topcook.testkit.cookbench import CookBench

TYPE = """
    from pdg.scheduler import PyScheduler

    class Mine(PyScheduler):
        def onSchedule(self, work_item):
            work_item.cookSucceeded()
            return True

    def registerTypes(registry):
        registry.registerScheduler(Mine, label="Mine", typename="mine")
    """


def test_commands_find_the_types_of_the_bench_and_run_in_its_folder(tmp_path: Path) -> None:
    bench = CookBench(tmp_path)
    bench.types("mine", TYPE)
    listed = bench.topcook("list")
    assert (listed.returncode, "mine" in listed.stdout) == (0, True), listed.stdout + listed.stderr
    (tmp_path / "net.toml").write_text("[network]\nname = 3\n")
    refused = bench.topcook("cook", "net.toml")
    assert refused.returncode == 2
    assert "net.toml" in refused.stderr
