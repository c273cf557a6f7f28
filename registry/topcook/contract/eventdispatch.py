"""``workItem…``: what a job says, on its way to the scheduler.

A scheduler overrides these to look at ``jobid``, and calls them itself when it polls. They may be called from any
thread and without any ``__init__`` having run.
"""

from __future__ import annotations

from typing import Any

from topcook.contract.scheduler_notify import settle


class WorkItemEvents:
    """The event methods: each passes on to the ``onWorkItem…`` notification of the scheduler it is mixed into."""

    # What is below in the method resolution order; declared for readers and type checkers only.
    onWorkItemStartCook: Any
    onWorkItemSucceeded: Any
    onWorkItemFailed: Any
    onWorkItemCanceled: Any
    onWorkItemFileResult: Any
    onWorkItemSetAttribute: Any
    onWorkItemSetStringAttrib: Any
    onWorkItemSetIntAttrib: Any
    onWorkItemSetFloatAttrib: Any
    onWorkItemSetFileAttrib: Any
    onWorkItemSetDictAttrib: Any
    onWorkItemSetPyObjectAttrib: Any
    onWorkItemAppendLog: Any
    onWorkItemSetCustomState: Any
    onWorkItemSetCookPercent: Any
    onWorkItemInvalidateCache: Any

    def workItemStartCook(self, workitem_id: Any = None, index: Any = -1, jobid: Any = "", **spelled: Any) -> None:
        """The job has started."""
        said = settle("workItemStartCook", {"workitem_id": workitem_id, "index": index, "jobid": jobid}, spelled)
        self.onWorkItemStartCook(said["workitem_id"], said["index"])

    def workItemSucceeded(
        self, workitem_id: Any = None, index: Any = -1, cook_duration: Any = 0.0, jobid: Any = "", **spelled: Any
    ) -> None:
        """The job has ended well."""
        said = settle(
            "workItemSucceeded",
            {"workitem_id": workitem_id, "index": index, "cook_duration": cook_duration, "jobid": jobid},
            spelled,
        )
        self.onWorkItemSucceeded(said["workitem_id"], said["index"], said["cook_duration"])

    def workItemFailed(self, workitem_id: Any = None, index: Any = -1, jobid: Any = "", **spelled: Any) -> None:
        """The job has failed."""
        said = settle("workItemFailed", {"workitem_id": workitem_id, "index": index, "jobid": jobid}, spelled)
        self.onWorkItemFailed(said["workitem_id"], said["index"])

    def workItemCanceled(self, workitem_id: Any = None, index: Any = -1, jobid: Any = "", **spelled: Any) -> None:
        """The job was canceled."""
        said = settle("workItemCanceled", {"workitem_id": workitem_id, "index": index, "jobid": jobid}, spelled)
        self.onWorkItemCanceled(said["workitem_id"], said["index"])

    def workItemCancelled(self, workitem_id: Any = None, index: Any = -1, jobid: Any = "", **spelled: Any) -> None:
        """The job was canceled, in the other spelling; an override of either is heard."""
        self.workItemCanceled(workitem_id, index, jobid, **spelled)

    def workItemFileResult(
        self,
        workitem_id: Any = None,
        subindex: Any = -1,
        result: Any = None,
        tag: Any = "",
        checksum: Any = 0,
        jobid: Any = "",
        **spelled: Any,
    ) -> None:
        """The job made a file."""
        said = settle(
            "workItemFileResult",
            {
                "workitem_id": workitem_id,
                "index": subindex,
                "result": result,
                "tag": tag,
                "checksum": checksum,
                "jobid": jobid,
            },
            spelled,
        )
        self.onWorkItemFileResult(said["workitem_id"], said["index"], said["result"], said["tag"], said["checksum"])

    def workItemSetAttribute(self, workitem_id: Any, *rest: Any, jobid: Any = "") -> None:
        """The job set an attribute: ``(item, attribute, values)`` or ``(item, index, attribute, values)``."""
        index_given = bool(rest) and not isinstance(rest[0], str | bytes)
        # Behind the values may stand a job id that came by position.
        self.onWorkItemSetAttribute(workitem_id, *rest[: 3 if index_given else 2])

    def workItemSetStringAttrib(
        self, workitem_id: Any, index: Any, name: Any, value: Any, attrib_index: Any = 0, jobid: Any = ""
    ) -> None:
        """The job set a string attribute."""
        self.onWorkItemSetStringAttrib(workitem_id, index, name, value, attrib_index)

    def workItemSetIntAttrib(
        self, workitem_id: Any, index: Any, name: Any, value: Any, attrib_index: Any = 0, jobid: Any = ""
    ) -> None:
        """The job set an int attribute."""
        self.onWorkItemSetIntAttrib(workitem_id, index, name, value, attrib_index)

    def workItemSetFloatAttrib(
        self, workitem_id: Any, index: Any, name: Any, value: Any, attrib_index: Any = 0, jobid: Any = ""
    ) -> None:
        """The job set a float attribute."""
        self.onWorkItemSetFloatAttrib(workitem_id, index, name, value, attrib_index)

    def workItemSetFileAttrib(
        self, workitem_id: Any, index: Any, name: Any, value: Any, attrib_index: Any = 0, jobid: Any = ""
    ) -> None:
        """The job set a file attribute."""
        self.onWorkItemSetFileAttrib(workitem_id, index, name, value, attrib_index)

    def workItemSetDictAttrib(
        self, workitem_id: Any, index: Any, name: Any, value: Any, attrib_index: Any = 0, jobid: Any = ""
    ) -> None:
        """The job set a dict attribute."""
        self.onWorkItemSetDictAttrib(workitem_id, index, name, value, attrib_index)

    def workItemSetPyObjectAttrib(self, workitem_id: Any, index: Any, name: Any, value: Any, jobid: Any = "") -> None:
        """The job set a Python object."""
        self.onWorkItemSetPyObjectAttrib(workitem_id, index, name, value)

    def workItemAppendLog(
        self, workitem_id: Any, index: Any, log_data: Any, log_type: Any = 3, jobid: Any = ""
    ) -> None:
        """The job added to the item's log."""
        self.onWorkItemAppendLog(workitem_id, index, log_data, log_type)

    def workItemSetCustomState(self, workitem_id: Any, index: Any, custom_state: Any, jobid: Any = "") -> None:
        """The job named its state."""
        self.onWorkItemSetCustomState(workitem_id, index, custom_state)

    def workItemSetCookPercent(self, workitem_id: Any, index: Any, cook_percent: Any, jobid: Any = "") -> None:
        """The job said how much is done."""
        self.onWorkItemSetCookPercent(workitem_id, index, cook_percent)

    def workItemInvalidateCache(self, workitem_id: Any, index: Any, jobid: Any = "") -> None:
        """The job called its cached outputs stale."""
        self.onWorkItemInvalidateCache(workitem_id, index)


class EventDispatchMixin(WorkItemEvents):
    """The event methods without a server of their own; schedulers with a message queue feed them."""

    def __init__(self, *link: Any) -> None:
        """Nothing to set up; what a class without an ``__init__`` of its own is made with is passed on."""
        if link:
            super().__init__(*link)
