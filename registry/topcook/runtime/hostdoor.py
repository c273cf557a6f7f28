"""A scheduler instance's door to the cook: what ``topcook.contract.host.SchedulerHost`` promises."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from topcook.contract.secrets import redact
from topcook.errors import CookRefusedError
from topcook.model.directories import Directories
from topcook.model.filestem import file_stem
from topcook.model.secrets import MASK
from topcook.runtime import environment, workdir
from topcook.runtime.inbox import Report
from topcook.runtime.runs import FunctionRuns
from topcook.runtime.strays import speak_through
from topcook.runtime.trace import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from topcook.contract.host import FunctionReports, JobKeeper
    from topcook.model.node import SchedulerNode
    from topcook.model.notification import Notification
    from topcook.model.parms import Parms
    from topcook.model.workitem import WorkItem
    from topcook.runtime.delegate import Delegate
    from topcook.runtime.graph import Graph
    from topcook.runtime.link import CookLink
    from topcook.runtime.resultserver import SchedulerDoor

#: The most a scheduler's log holds, so that a callback that prints without end fills no disk.
LOG_LIMIT = 64 * 1024 * 1024
_TRIES = "PDG_RPC_RETRIES"


class SchedulerHandle:
    """The opaque handle that a scheduler class gets as ``scheduler``."""

    __slots__ = ("host",)

    def __init__(self, host: HostDoor) -> None:
        """Carry the host."""
        self.host = host


class HostDoor:
    """Implements ``SchedulerHost`` for one scheduler of a network; the base of ``Host``."""

    delegate: Delegate

    def __init__(self, node: SchedulerNode, graph: Graph) -> None:
        """Open the door; the instance is made later, on the host's thread."""
        self.node = node
        self.graph = graph
        self.instance: Any = None
        self.directories = Directories()
        self.ports_ready = False
        self.accepts_in_process = False
        #: Of in-process items it takes those alone whose node type gives their Python as text.
        self.takes_text_only = False
        #: Changes with every notification.
        self.notified = 0
        #: How many items the scheduler wants to hold at most; 0: it has not said.
        self.room = 0
        self.link: CookLink | None = None
        #: Somebody has asked how a copy of the network is to be cooked.
        self.options_asked = False
        #: Those of the threads that run functions of in-process items in this cook.
        self.function_runs: list[FunctionRuns] = []
        #: What the host's thread is to do next; ``None`` ends it.
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        #: Ids of the items that the scheduler was shown in this cook.
        self.shown: frozenset[int] | set[int] = frozenset()
        self.result_server: SchedulerDoor = graph.server_door(node)
        self._servers: dict[str, dict[str, Any]] = {}
        self._keeper: JobKeeper | None = None
        self._keeper_lock = threading.Lock()
        self._common: dict[str, str] | None = None
        # Collecting garbage runs destructors anywhere, in here too, and what they print comes here.
        self._log_lock = threading.RLock()
        self._logged = 0
        self._early_log: list[str] = []

    def _order(self, call: Callable[[CookLink], None]) -> None:
        """Queue a call for the present cook; a late one is its, too, though another cook may have begun."""
        link = self.link
        if link is not None:
            self._calls.put(lambda: call(link))

    def lend_slots(self, item: WorkItem, *, waits: bool) -> None:
        """Queue that a job waits for other items, or goes on; what that means for its slots only ours know."""
        told = getattr(self.instance, "lendSlots", None)
        if callable(told):
            self._order(lambda _link: told(item.id, waits))

    # ------------------------------------------------------------------ who it is

    @property
    def name(self) -> str:
        """The instance's name in the network."""
        return self.node.name

    @property
    def type_name(self) -> str:
        """Its registered type."""
        return self.node.type_name

    @property
    def parms(self) -> Parms:
        """Its parms."""
        return self.node.parms

    def parms_changed(self, name: str) -> None:
        """A parm was set: limits are read again (the tick period is before each tick)."""
        if self.link is not None and name in {"pdg_maxitems", "pdg_maxtasks", "pdg_usemaxtasks"}:
            self.link.post_limits(self)

    def parm_value(self, name: str) -> Any:
        """The raw value of a parm, its default when unset."""
        parm = self.node.parms.get(name)
        return parm.at() if parm is not None else None

    # ------------------------------------------------------------------ reports

    def notify(self, notification: Notification) -> None:
        """Post a notification; outside a cook it is noted in the log and dropped."""
        link = self.link
        self.notified += 1
        if self.graph.trace:
            self.log(told(notification, "notified"))
        if link is None:
            self.log(f"ignored outside a cook: {notification!r}\n")
        elif not self.delegate.passes(notification):
            self.deliver()
        else:
            link.together.report(notification, self.name)

    def notify_all(self, notifications: Sequence[Notification]) -> None:
        """Post notifications as one report, unless somebody wants to see each."""
        link = self.link
        if link is None or self.graph.trace or self.delegate.listens:
            for each in notifications:
                self.notify(each)
        else:
            self.notified += len(notifications)
            link.inbox.post(Report(list(notifications), self.name))

    def function_reports(self) -> FunctionReports | None:
        """For the calling thread and the present cook; ``None`` where each report is to be seen by itself."""
        link = self.link
        if link is None or self.graph.trace or self.delegate.listens:
            return None
        runs = FunctionRuns(self, link)
        self.function_runs.append(runs)
        return runs

    def deliver(self) -> None:
        """Have the author's event methods called for what waits for them."""
        raise NotImplementedError

    def limit_in_flight(self, count: int) -> None:
        """Offer it nothing while it holds so many items (0: no limit), whatever ``pdg_maxtasks`` allows."""
        if count != self.room:
            self.room = count
            if self.link is not None:
                self.link.post_limits(self)

    def cook_options(self) -> list[str]:
        """The profile that the network was read with, as options of ``topcook cook``."""
        self.options_asked = True
        profile = self.graph.choice.profile
        return ["--profile", profile] if profile else []

    def waits_for(self, words: str) -> None:
        """Keep what its items wait for; the cook tells it when nothing moves, and whoever asks."""
        if self.link is not None:
            self.link.waiting[self.name] = redact(words)

    def request_task(self) -> None:
        """Ask for the next ``onSchedule`` now."""
        if self.link is not None:
            self.link.post_room(self.name)

    def graph_shown(self, items: Iterable[int]) -> None:
        """Its farm may be ahead of the hand-over of these items."""
        # A new set, not a changed one: the cook thread reads it.
        self.shown = self.shown | set(items)

    def stop_cook(self) -> None:
        """Cancel the whole cook."""
        if self.link is not None:
            self.link.cancel(f'scheduler "{self.name}" stopped the cook')

    def record_error(self, message: str) -> None:
        """Keep an error on the scheduler node."""
        self.node.errors.append(redact(str(message)))
        self.log(f"error: {message}\n")
        if self.link is not None:
            self.link.message("error", self.name, str(message))

    def record_warning(self, message: str) -> None:
        """Keep a warning on the scheduler node."""
        self.node.warnings.append(redact(str(message)))
        self.log(f"warning: {message}\n")
        if self.link is not None:
            self.link.message("warning", self.name, str(message))

    # ------------------------------------------------------------------ directories, environment, data

    def prepare_directories(self) -> None:
        """Make the cook's directories and fill the script directory; once per cook."""
        workdir.make_directories(self.directories, self.name)
        if self._early_log:
            self._flush_early_log()

    def copy_support_files(self) -> None:
        """Put the job-side scripts and the secret into the script directory."""
        script_dir = self.directories.script_dir(local=True)
        marker = workdir.support_mark(script_dir)
        if marker not in self.directories.made:
            Path(script_dir).mkdir(parents=True, exist_ok=True)
            mode, group = (str(self.parm_value(f"topcook_secret{part}") or "") for part in ("mode", "group"))
            workdir.copy_support_files(script_dir, self.graph.secret, workdir.secret_access(mode, group))
            self.directories.made.add(marker)

    def announce(self) -> None:
        """Tell jobs of an earlier session where the cook listens now: they look there when nobody answers them."""
        script_dir = self.directories.script_dir(local=True)
        if os.path.isdir(script_dir):
            self.copy_support_files()
            workdir.write_secret(Path(script_dir) / workdir.SERVER_FILE, self._server_address(), workdir.READABLE)

    def announce_leave(self) -> None:
        """Tell jobs that go on that nobody listens until a later session takes them up; raises ``OSError``."""
        script_dir = self.directories.script_dir(local=True)
        if os.path.isdir(script_dir):
            workdir.write_secret(Path(script_dir) / workdir.SERVER_FILE, workdir.NOBODY, workdir.READABLE)

    def job_environment(self, item: WorkItem) -> dict[str, str]:
        """The ``PDG_*`` variables of a job for ``item``."""
        if self._common is None:
            self.copy_support_files()
            self._common = environment.common_variables(
                self.directories, self._server_address(), self.graph.secret, self.graph.network.hip
            )
            if self.link is not None and self.link.lasting and _TRIES not in os.environ:
                # About a minute, for a cook that is killed and goes on.
                self._common[_TRIES] = "20"
            if self.parm_value("pdg_workitemdatasource"):
                self._common["PDG_ITEM_DATA_SOURCE"] = "1"
        return {**self._common, **self.item_environment(item)}

    def item_environment(self, item: WorkItem) -> dict[str, str]:
        """Those of them that are the item's own."""
        return environment.item_variables(item, self.link.token(item) if self.link is not None else "")

    def _server_address(self) -> str:
        """The address as the instance gives it: schedulers replace the host name for their farm."""
        answer = getattr(self.instance, "workItemResultServerAddr", None)
        address = answer() if callable(answer) else ""
        if not address:
            # It never started a server of its own, but its jobs still may report.
            address = self.result_server.start(local_only=True, port_range=None)
        return str(address)

    def prepare_item(self, item: WorkItem) -> None:
        """Make the directories and write the item's data file, unless it travels by message."""
        self.prepare_directories()
        if not self.parm_value("pdg_workitemdatasource"):
            self.graph.write_item_data(
                item,
                self.directories.data_dir(local=True),
                self.name,
                compress=bool(self.parm_value("pdg_compressworkitemdata")),
            )

    def refresh_item(self, item: WorkItem) -> None:
        """Write an item's data file again, where there is one; from the cook thread."""
        path = f"{self.directories.data_dir(local=True)}/{file_stem(item.name)}.json"
        if os.path.exists(path) or os.path.exists(path + ".gz"):
            self.prepare_item(item)

    def local_disk(self, path: str) -> str:
        """The kind of file system that a path is on, where that is a disk of this machine alone; else empty."""
        from topcook.factory.filesystems import file_system

        found = file_system(path)
        return "" if found.network else found.kind

    def accept_in_process(self, *, accept: bool, as_text: bool = False) -> None:
        """Whether in-process items may be handed to it; ``as_text``: those alone whose Python its node type gives."""
        self.accepts_in_process, self.takes_text_only = accept, as_text

    # ------------------------------------------------------------------ keeper, shared servers

    @property
    def keeper(self) -> JobKeeper:
        """The keeper of local processes, started when first asked for."""
        with self._keeper_lock:
            if self._keeper is None:
                if self.link is None:
                    raise CookRefusedError(f'scheduler "{self.name}": local jobs can only be started during a cook')
                self._keeper = self.link.keeper_for(self.name)
            return self._keeper

    def set_shared_server(self, name: str, info: Mapping[str, Any] | None) -> None:
        """Remember or forget a shared server."""
        if info is None:
            self._servers.pop(name, None)
        else:
            self._servers[name] = dict(info)

    def shared_servers(self) -> Mapping[str, Mapping[str, Any]]:
        """The shared servers known to this scheduler."""
        return dict(self._servers)

    # ------------------------------------------------------------------ the scheduler's own log

    @property
    def log_path(self) -> str:
        """The scheduler's log in the cook's log directory."""
        return f"{self.directories.log_dir(local=True)}/scheduler_{self.name}.log"

    def log(self, message: str) -> None:
        """Write to the scheduler's log; kept in memory until the directory exists."""
        # Authors print the environment of their jobs, and the log is for everybody to read.
        message = redact(message).replace(self.graph.secret, MASK)
        with self._log_lock:
            self._logged += len(message)
            if self._logged > LOG_LIMIT:
                return
            if self.directories.log_dir(local=True) not in self.directories.made:
                self._early_log.append(message)
                return
            self._write_log(message)

    def adopt_thread(self) -> None:
        """From now on what the calling thread prints and logs goes into the scheduler's log.

        ``pdg.TypeRegistry.types()`` gives it the cook's types, as in callbacks.
        """
        speak_through(self.log)
        self.graph.factory.registry.adopt_thread()

    def _flush_early_log(self) -> None:
        with self._log_lock:
            text, self._early_log = "".join(self._early_log), []
            if text:
                self._write_log(text)

    def _write_log(self, text: str) -> None:
        try:
            with Path(self.log_path).open("a", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(text)
        except OSError:
            # A full disk or a removed directory must not fail the callback that printed.
            self.directories.made.discard(self.directories.log_dir(local=True))
