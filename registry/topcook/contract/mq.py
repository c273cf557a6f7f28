"""The names of Houdini's message queue, so that files which import or mix them in load.

Jobs report to the result server here, by the same calls; nothing of a queue is started.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from topcook.contract.eventdispatch import EventDispatchMixin
from topcook.errors import CookError

_WHY = "Topcook starts no message queue: jobs report to the result server (mix in CallbackServerMixin)"


class MQUsage(Enum):
    """Where a message queue would run."""

    LOCAL = 0
    FARM = 1
    CONNECT = 2


class MQState(Enum):
    """What became of starting a message queue."""

    NONE = 0
    LAUNCHED = 1
    ERRORED = 2


class MQInfo:
    """Where a message queue would listen."""

    def __init__(self, host: str = "", relay_port: int = 0, http_port: int = 0, *args: Any, **kwargs: Any) -> None:
        """Keep the address; nothing is known unless it is given."""
        self.host = host
        self.relay_port = relay_port
        self.http_port = http_port
        self.state = MQState.NONE


class MQUtility:
    """Helpers around a message queue; every use raises ``CookError``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to set up."""

    def __getattr__(self, name: str) -> Any:
        """Raises ``CookError``; names with a leading underscore are simply missing."""
        if name.startswith("_"):
            raise AttributeError(name)
        raise CookError(f"MQUtility.{name}: {_WHY}")


class MQRelay:
    """The relay between queue and jobs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to set up."""

    def start(self, *args: Any, **kwargs: Any) -> None:
        """Raises ``CookError``."""
        raise CookError(f"MQRelay.start: {_WHY}")

    def stop(self, *args: Any, **kwargs: Any) -> None:
        """Nothing runs, so nothing is stopped."""


class MQSchedulerMixin:
    """What a scheduler with a message queue mixes in; its state says that there is none."""

    mq_state = MQState.NONE
    mq_usage = MQUsage.LOCAL

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to set up; (scheduler, name), as a class without an ``__init__`` of its own gets, is passed on."""
        if len(args) == 2 and hasattr(args[0], "host"):  # noqa: PLR2004 - the two
            super().__init__(*args)  # type: ignore[call-arg] # PyScheduler comes next

    def startMQ(self, *args: Any, **kwargs: Any) -> bool:
        """False: see the module."""
        return False

    def stopMQ(self, *args: Any, **kwargs: Any) -> bool:
        """True: nothing runs."""
        return True

    def isMQRunning(self) -> bool:
        """False: see the module."""
        return False


class SimpleMQSchedulerMixin(MQSchedulerMixin):
    """The simpler kind of ``MQSchedulerMixin``."""


class PDGNetMQRelay:
    """The relay of ``pdgutils``; it cannot be made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Raises ``CookError``."""
        raise CookError(f"PDGNetMQRelay: {_WHY}")


class PDGNetMessageType(Enum):
    """The kinds of messages; which numbers Houdini gives them is not public, so these are our own."""

    Undefined = 0
    Message = 1
    Command = 2
    Result = 3


class PDGNetLogLevel(Enum):
    """How much a queue would tell; the numbers are our own."""

    Off = 0
    Error = 1
    Warning = 2
    Info = 3
    Debug = 4


def mqCreateMessage(*args: Any, **kwargs: Any) -> Any:
    """Raises ``CookError``."""
    raise CookError(f"mqCreateMessage: {_WHY}")


def mqGetError(*args: Any, **kwargs: Any) -> str:
    """Why there is no queue."""
    return _WHY


def mqSetLogLevel(*args: Any, **kwargs: Any) -> None:
    """Nothing runs, so nothing is told."""


__all__ = [
    "EventDispatchMixin",
    "MQInfo",
    "MQRelay",
    "MQSchedulerMixin",
    "MQState",
    "MQUsage",
    "MQUtility",
    "PDGNetLogLevel",
    "PDGNetMQRelay",
    "PDGNetMessageType",
    "SimpleMQSchedulerMixin",
    "mqCreateMessage",
    "mqGetError",
    "mqSetLogLevel",
]
