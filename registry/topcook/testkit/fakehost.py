"""A cook in memory, as one scheduler sees it: ``SchedulerHost`` that remembers what it was told."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from topcook.contract.host import JobEnd
from topcook.model.directories import Directories
from topcook.model.node import SchedulerNode
from topcook.model.notification import Kind, Notification
from topcook.model.parms import ParmSpec
from topcook.testkit.fakegraph import FakeGraph

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from topcook.contract.host import LocalJob
    from topcook.model.workitem import WorkItem

T = TypeVar("T")


class FakeServer:
    """A result server that listens nowhere."""

    def __init__(self) -> None:
        """Not running."""
        self.address = ""
        self.asked: list[tuple[bool, tuple[int, int] | None]] = []

    @property
    def running(self) -> bool:
        """Whether it was started."""
        return bool(self.address)

    @property
    def nearby(self) -> str:
        """As ``address``."""
        return self.address

    def start(self, *, local_only: bool, port_range: tuple[int, int] | None) -> str:
        """Pretend to listen; what was asked for is kept in ``asked``."""
        self.asked.append((local_only, port_range))
        self.address = self.address or "127.0.0.1:9999"
        return self.address

    def stop(self) -> None:
        """Pretend to stop."""
        self.address = ""


class FakeKeeper:
    """Takes local jobs and starts none: a test plays ``begin`` and ``finish``."""

    def __init__(self) -> None:
        """No jobs, no limit."""
        self.jobs: deque[LocalJob] = deque()
        self.slots = 0

    def limits_by(self) -> str:
        """Limits are kept with the jobs, and held by nobody."""
        return "limits are held by nobody here"

    def set_slots(self, slots: int) -> None:
        """Keep the limit."""
        self.slots = slots

    def start(self, job: LocalJob, *, later: bool = False) -> None:  # noqa: ARG002 - the real one's
        """Keep the job."""
        self.jobs.append(job)

    def send(self) -> None:
        """Nothing was kept back."""

    def cancel(self, tokens: Sequence[str], grace: float = 5.0) -> list[int]:  # noqa: ARG002 - the real one's
        """End these jobs as canceled."""
        for job in [job for job in self.jobs if job.token in tokens]:
            self.finish(job, None, canceled=True)
        return []

    def cancel_all(self, grace: float = 5.0) -> list[int]:
        """End every job as canceled."""
        return self.cancel([job.token for job in self.jobs], grace)

    def begin(self, job: LocalJob, pid: int = 4711) -> None:
        """Play the start of a job's process."""
        job.on_start(pid, time.monotonic())

    def finish(self, job: LocalJob, exit_status: int | None = 0, *, canceled: bool = False) -> None:
        """Play its end."""
        self.jobs.remove(job)
        job.on_end(JobEnd(exit_status, time.monotonic(), canceled=canceled))


class FakeHost:
    """Implements ``topcook.contract.host.SchedulerHost``; keyword arguments are parms of the scheduler.

    What the scheduler says is in ``notifications``, ``errors``, ``warnings`` and ``lines`` (its log); ``limits`` holds
    the parms it set, ``prepared`` and ``copied`` what it asked to be put on disk, ``tasks`` how often it asked for
    work, ``most_in_flight`` its own limit.
    """

    def __init__(
        self,
        graph: FakeGraph | None = None,
        name: str = "scheduler",
        type_name: str = "fakescheduler",
        working: str = "",
        **parms: Any,
    ) -> None:
        """A scheduler node with these parms, in ``graph`` or one of its own."""
        self.graph = graph or FakeGraph()
        self.name = name
        self.type_name = type_name
        self.node = SchedulerNode(name, type_name)
        self.parms = self.node.parms
        self.parms.declare(
            [
                ParmSpec("pdg_workingdir", default=("$HIP",)),
                ParmSpec("pdg_tickperiod", "Float", default=(0.5,)),
                ParmSpec("pdg_maxitems", "Integer", default=(30,)),
            ]
        )
        for parm, value in parms.items():
            self.parms.set(parm, value)
        home = working or self.graph.network.hip
        self.directories = Directories(working=(home, home), cook="1")
        self.result_server = FakeServer()
        self.keeper = FakeKeeper()
        self.ports_ready = False
        self.notifications: list[Notification] = []
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.lines: list[str] = []
        self.limits: list[str] = []
        self.prepared: list[WorkItem] = []
        self.copied = 0
        self.tasks = 0
        self.most_in_flight = 0
        self.ticks_asked: list[float] = []
        self.waiting = ""
        self.disk = ""
        self.shown: set[int] = set()
        self.takes_in_process = False
        self.stopped = False
        self._servers: dict[str, Mapping[str, Any]] = {}

    @property
    def host(self) -> FakeHost:
        """Itself: a fake host serves as the handle that a scheduler class is given."""
        return self

    def make(self, cls: type[T]) -> T:
        """An instance of a scheduler class, made as a cook makes it and known to the graph; ``onStart`` not called."""
        self.ports_ready = False
        made: T = cls(self, self.name)  # type: ignore[call-arg]
        self.ports_ready = True
        self.graph.schedulers[self.name] = made
        return made

    def told(self, *kinds: Kind) -> list[tuple[str, int | str]]:
        """What the scheduler reported, as (kind, item); of some kinds only, if any are named."""
        return [(said.kind.value, said.item) for said in self.notifications if not kinds or said.kind in kinds]

    # SchedulerHost

    def parms_changed(self, name: str) -> None:
        """Remember it in ``limits``."""
        self.limits.append(name)

    def notify(self, notification: Notification) -> None:
        """Remember it in ``notifications``."""
        self.notifications.append(notification)

    def notify_all(self, notifications: Sequence[Notification]) -> None:
        """Remember each in ``notifications``."""
        for each in notifications:
            self.notify(each)

    def request_task(self) -> None:
        """Count it."""
        self.tasks += 1

    def function_reports(self) -> None:
        """Each report is to be seen."""

    def limit_in_flight(self, count: int) -> None:
        """Keep it as ``most_in_flight``."""
        self.most_in_flight = count

    def cook_options(self) -> list[str]:
        """Nothing: its network has no profiles."""
        return []

    def waits_for(self, words: str) -> None:
        """Keep it as ``waiting``."""
        self.waiting = words

    def tick_soon(self, seconds: float) -> None:
        """Remember it in ``ticks_asked``."""
        self.ticks_asked.append(seconds)

    def graph_shown(self, items: Iterable[int]) -> None:
        """Remember them in ``shown``."""
        self.shown.update(items)

    def record_error(self, message: str) -> None:
        """Remember it in ``errors``."""
        self.errors.append(message)

    def record_warning(self, message: str) -> None:
        """Remember it in ``warnings``."""
        self.warnings.append(message)

    def log(self, message: str) -> None:
        """Remember it in ``lines``."""
        self.lines.append(message)

    def adopt_thread(self) -> None:
        """Prints go where they went."""

    def job_environment(self, item: WorkItem) -> dict[str, str]:
        """The variables that say which item it is."""
        return {
            "PDG_ITEM_NAME": item.name,
            "PDG_ITEM_ID": str(item.id),
            "PDG_INDEX": str(item.index),
            "PDG_ITEM_TOKEN": f"{item.id}.{item.attempt}",
        }

    def item_environment(self, item: WorkItem) -> dict[str, str]:
        """The same: what all items share is left out anyway."""
        return self.job_environment(item)

    def prepare_item(self, item: WorkItem) -> None:
        """Make the directories; the data file is not written."""
        for folder in (
            self.directories.script_dir(local=True),
            self.directories.data_dir(local=True),
            self.directories.log_dir(local=True),
        ):
            os.makedirs(folder, exist_ok=True)
        self.prepared.append(item)

    def copy_support_files(self) -> None:
        """Count it."""
        self.copied += 1

    def local_disk(self, path: str) -> str:  # noqa: ARG002 - the real one's
        """What ``disk`` says."""
        return self.disk

    def accept_in_process(self, *, accept: bool, as_text: bool = False) -> None:  # noqa: ARG002 - the real one's
        """Remember it in ``takes_in_process``."""
        self.takes_in_process = accept

    def stop_cook(self) -> None:
        """Remember it in ``stopped``."""
        self.stopped = True

    def set_shared_server(self, name: str, info: Mapping[str, Any] | None) -> None:
        """Remember or forget it."""
        if info is None:
            self._servers.pop(name, None)
        else:
            self._servers[name] = info

    def shared_servers(self) -> Mapping[str, Mapping[str, Any]]:
        """The known ones."""
        return self._servers
