"""What can happen to a watcher: no room, no events, death; and what is said of it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from watchdog.events import FileSystemEvent
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, EventEmitter, EventQueue, ObservedWatch

from topcook.factory import Factory
from topcook.factory.watching import LiveFactory
from topcook.factory.watching.places import places_of
from topcook.factory.watching.survey import plan_of, survey
from topcook.factory.watching.watcher import MOST_DIRECTORIES, Watcher

MakeDesk = Callable[..., Any]
LONG = 10.0


class Ear:
    """Hears what a watcher tells."""

    def __init__(self) -> None:
        self.heard: list[tuple[set[str], str, str]] = []
        self.changed = threading.Condition()

    def __call__(self, entries: set[str], what: str, path: str) -> None:
        with self.changed:
            self.heard.append((entries, what, path))
            self.changed.notify_all()

    def hears(self, name: str) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: any(path.endswith(name) for _, _, path in self.heard), LONG)


class DeafEmitter(EventEmitter):
    """An emitter that gets no events, as on a network file system or after the kernel dropped them."""

    def queue_events(self, timeout: float) -> None:
        self.stopped_event.wait(timeout)


def deaf() -> BaseObserver:
    return BaseObserver(DeafEmitter)


def test_noise_beside_the_files_is_not_heard(tmp_path: Path) -> None:
    ear = Ear()
    watcher = Watcher(ear)
    watcher.arm(plan_of([survey(str(tmp_path))]))
    for name in ("farm.cpython-311.pyc", ".farm.py.swp", "farm.py~", ".#farm.py", "notes.txt", "farm.py"):
        (tmp_path / name).touch()
    (tmp_path / "__pycache__").mkdir()
    assert ear.hears("farm.py")
    assert {os.path.basename(path) for _, _, path in ear.heard} == {"farm.py"}
    watcher.close()


def test_reading_wakes_nobody(tmp_path: Path) -> None:
    (tmp_path / "farm.py").write_text("x")
    ear = Ear()
    watcher = Watcher(ear)
    watcher.arm(plan_of([survey(str(tmp_path))]))
    (tmp_path / "farm.py").read_text()
    (tmp_path / "other.py").touch()
    assert ear.hears("other.py")
    assert not any(path.endswith("farm.py") for _, _, path in ear.heard)
    watcher.close()


def test_a_listener_that_raises_leaves_the_watcher_listening(tmp_path: Path) -> None:
    ear = Ear()

    def tell(entries: set[str], what: str, path: str) -> None:
        ear(entries, what, path)
        raise RuntimeError(what)

    watcher = Watcher(tell)
    watcher.arm(plan_of([survey(str(tmp_path))]))
    for name in ("one.py", "two.py"):
        (tmp_path / name).touch()
        assert ear.hears(name)
    watcher.close()


def test_a_dead_observer_is_replaced_when_the_directories_are_armed_again(tmp_path: Path) -> None:
    ear, made = Ear(), []

    def make() -> BaseObserver:
        made.append(Observer())
        return made[-1]

    watcher = Watcher(ear, make)
    plan = plan_of([survey(str(tmp_path))])
    assert watcher.arm(plan)
    assert not watcher.arm(plan)
    made[0].stop()
    made[0].join()
    assert watcher.is_dead()
    assert watcher.arm(plan)
    assert (watcher.deaths, watcher.is_dead()) == (1, False)
    (tmp_path / "farm.py").touch()
    assert ear.hears("farm.py")
    watcher.close()


def test_a_directory_made_anew_under_its_old_name_is_listened_to_again(tmp_path: Path) -> None:
    entry = tmp_path / "types"
    entry.mkdir()
    ear = Ear()
    watcher = Watcher(ear)
    watcher.arm(plan_of([survey(str(entry))]))
    entry.rmdir()
    assert ear.hears("types")
    entry.mkdir()
    assert watcher.arm(plan_of([survey(str(entry))]))
    (entry / "farm.py").touch()
    assert ear.hears("farm.py")
    watcher.close()


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "max_user_watches"), (errno.EMFILE, "max_user_instances")])
def test_a_system_without_room_for_watches_is_polled_and_it_is_said(tmp_path: Path, number: int, said: str) -> None:
    class Full(EventEmitter):
        def __init__(self, queue: EventQueue, watch: ObservedWatch, **more: Any) -> None:
            super().__init__(queue, watch, **more)
            raise OSError(number, "no room")

    watcher = Watcher(Ear(), lambda: BaseObserver(Full))
    surveys = [survey(str(tmp_path))]
    watcher.arm(plan_of(surveys))
    [place] = [each.refused(watcher.refused) for each in places_of(surveys)]
    assert (place.kind, place.seconds) == ("polling", 5.0)
    assert said in place.note
    watcher.close()


def test_more_directories_than_can_be_listened_to_are_polled(tmp_path: Path) -> None:
    plan: dict[str, dict[str, set[str]]] = {}
    for number in range(MOST_DIRECTORIES + 3):
        (tmp_path / str(number)).mkdir()
        plan[str(tmp_path / str(number))] = {"": {"e"}}
    watcher = Watcher(Ear(), deaf)
    watcher.arm(plan)
    assert len(watcher.refused) == 3
    watcher.close()


NAMESPACE = """
echo 2 > /proc/sys/user/max_inotify_watches || exit 77
exec "$@"
"""
IN_NAMESPACE = """
import sys
from topcook.factory import Factory
from topcook.factory.watching import LiveFactory

def main():
    with LiveFactory(Factory.scan({"PDG_TYPES_PATH": sys.argv[1]}), poll=0.05) as live:
        print(*live.notes())
        open(sys.argv[1] + "/late.py", "w").write("raise ValueError # registerTypes =")
        print(live.wait(lambda: any(each.name == "late" for each in live.records()), 10))

main()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="user namespaces are Linux's")
def test_a_real_limit_of_the_kernel_ends_in_polling(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(IN_NAMESPACE))
    (tmp_path / "types" / "a").mkdir(parents=True)
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", NAMESPACE, "sh", sys.executable, str(program)]
    try:
        ended = subprocess.run(
            [*command, str(tmp_path / "types")], capture_output=True, text=True, timeout=60, check=False
        )
    except FileNotFoundError:
        pytest.skip("no unshare here")
    if ended.returncode == 77 or "unshare" in ended.stderr:
        pytest.skip("no user namespaces here")
    assert "max_user_watches" in ended.stdout, ended.stderr
    assert ended.stdout.splitlines()[-1] == "True"


def test_a_change_that_no_event_told_of_is_found_by_looking(desk: MakeDesk, tmp_path: Path) -> None:
    author = desk(farm=1)
    live = LiveFactory(Factory.scan({"PDG_TYPES_PATH": str(author.root)}), make_observer=deaf, poll=0.05)
    with live:
        author.file("farm").write_text(author.text("farm", 2), encoding="utf-8")
        assert live.wait(lambda: any(each.label == "farm 2" for each in live.records()), LONG)
        assert live.wait(lambda: bool(live.notes()), LONG)
        assert live.notes() == [f"{author.root}: looked at every 5 s, because something changed there without an event"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_watching_thread_that_dies_is_replaced(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    author = desk(farm=1)
    with LiveFactory(Factory.scan({"PDG_TYPES_PATH": str(author.root)}), poll=0.05) as live:
        thread = live._thread
        real, died = live._touched, threading.Event()

        def dies() -> set[str]:
            if not died.is_set():
                died.set()
                raise SystemExit
            return real()

        monkeypatch.setattr(live, "_touched", dies)
        live._heard({str(author.root)}, "created", "x")
        assert died.wait(LONG)
        author.file("farm").write_text(author.text("farm", 2), encoding="utf-8")
        assert live.wait(lambda: any(each.label == "farm 2" for each in live.records()), LONG)
        assert live._thread is not thread


def test_a_network_file_system_is_polled_slowly_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from topcook.factory.filesystems import FileSystem

    monkeypatch.setattr("topcook.factory.watching.places.file_system", lambda _path: FileSystem("nfs4", True))
    [place] = places_of([survey(str(tmp_path))])
    assert (place.events, place.seconds) == (False, 5.0)
    assert place.note == (
        f"{tmp_path}: looked at every 5 s, because it lies on a network file system (nfs4), which tells nobody of changes"
    )


def test_a_path_that_cannot_be_read_for_now_keeps_its_types(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    author = desk(farm=1)

    def hung(entry: str) -> Any:
        found = survey(entry)
        found.files, found.error = {}, OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return found

    monkeypatch.setattr("topcook.factory.watching.live.survey", hung)
    author.live.look()
    assert author.label("farm") == "farm 1"
    assert any("cannot be read just now" in note for note in author.live.notes())


def test_events_of_no_use_are_survived(tmp_path: Path) -> None:
    ear = Ear()
    watcher = Watcher(ear)
    watcher.arm(plan_of([survey(str(tmp_path))]))
    watcher._heard(FileSystemEvent(src_path=os.fsencode(tmp_path / "farm.py")))
    watcher._heard(FileSystemEvent(src_path=""))
    assert ear.hears("farm.py")
    watcher.close()


def test_what_watchdog_logs_does_not_reach_the_terminal(tmp_path: Path) -> None:
    program = """
import logging, sys
from topcook.factory.watching.survey import plan_of, survey
from topcook.factory.watching.watcher import Watcher

watcher = Watcher(print)
watcher.arm(plan_of([survey(sys.argv[1])]))
logging.getLogger("watchdog.observers.inotify").error("called when the thread is inactive")
watcher.close()
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert (ended.stdout, ended.stderr) == ("", "")
