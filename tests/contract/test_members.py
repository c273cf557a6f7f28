"""Every name that a scheduler may call on itself is there: the API page's list, and what files in the field use."""

from __future__ import annotations

import pytest

from topcook.contract.callbackserver import CallbackServerMixin
from topcook.contract.eventdispatch import EventDispatchMixin
from topcook.contract.scheduler import PyScheduler
from topcook.contract.staticcook import StaticCookMixin
from topcook.testkit import FakeHost

#: ``pdg.Scheduler`` of Houdini 21.
SCHEDULER = [
    "addEventHandler",
    "applicationBin",
    "attributeInfo",
    "cleanTempDirectory",
    "clearSharedServerInfo",
    "commonVars",
    "context",
    "cookError",
    "cookWarning",
    "cookWorkItem",
    "customId",
    "customParameters",
    "dataDir",
    "default",
    "delocalizePath",
    "dependencyGraph",
    "endSharedServer",
    "evaluateBoolOverride",
    "evaluateFloatOverride",
    "evaluateIntOverride",
    "evaluateStringOverride",
    "eventHandlers",
    "expandCommandTokens",
    "formatTransferPath",
    "getDefaultUserEnvironment",
    "getLogURI",
    "getPollingClient",
    "getSharedServerInfo",
    "getSharedServers",
    "getStatusURI",
    "hasEventHandler",
    "input",
    "inputCount",
    "inputNames",
    "inputs",
    "inputsForNode",
    "inputsForWorkItem",
    "isCompressWorkItemData",
    "isItemFromPort",
    "isWaitForFailures",
    "isWorkItemReady",
    "jobName",
    "localizePath",
    "logDir",
    "maxThreads",
    "name",
    "onWorkItemAddOutput",
    "onWorkItemAddOutputs",
    "onWorkItemAppendLog",
    "onWorkItemCanceled",
    "onWorkItemFailed",
    "onWorkItemFileResult",
    "onWorkItemInvalidateCache",
    "onWorkItemSetAttribute",
    "onWorkItemSetCookPercent",
    "onWorkItemSetCustomState",
    "onWorkItemSetDictAttrib",
    "onWorkItemSetFileAttrib",
    "onWorkItemSetFloatAttrib",
    "onWorkItemSetIntAttrib",
    "onWorkItemSetPyObjectAttrib",
    "onWorkItemSetStringAttrib",
    "onWorkItemStartCook",
    "onWorkItemSucceeded",
    "output",
    "outputCount",
    "outputNames",
    "outputs",
    "parameter",
    "parameterCount",
    "parameterNames",
    "parameters",
    "parametersForTag",
    "port",
    "portCount",
    "ports",
    "postExecProcess",
    "preExecProcess",
    "removeAllEventHandlers",
    "removeEventHandler",
    "runOnMainThread",
    "scriptDir",
    "scriptInfo",
    "setAcceptInProcess",
    "setScriptDir",
    "setSharedServerInfo",
    "setTempDir",
    "setWorkingDir",
    "startService",
    "stopService",
    "submitAsJob",
    "supportedEventTypes",
    "tempDir",
    "templateName",
    "topNode",
    "topNodeId",
    "transferFile",
    "type",
    "typeName",
    "value",
    "workItemDataSource",
    "workingDir",
    "__iter__",
]
#: 17.5 only.
OLD = ["requestTask", "stopCook", "cleanSharedServerInfo"]
#: The Python side, as files in the field use it.
PYTHON = [
    "createJobDirsAndSerializeWorkItems",
    "_copyJobSupportFiles",
    "addCommonJobEnvVars",
    "resolveEnvParams",
    "resolveBaseEnvironment",
    "resolvePathMapping",
    "_pythonBin",
    "_hythonBin",
    "_parseDatalayerParms",
    "getLocalLogDir",
    "initLogger",
    "_verboseLog",
    "_verbose",
    "cppObject",
    "onTransferFile",
    "onCancelWorkItems",
    "onPreSubmitItem",
    "workItemResultServerAddr",
    "setWorkItemResultServerAddr",
    "_workItemResultServerAddr",
    "topNode",
    "__getitem__",
    "__setitem__",
    "onWorkItemCancelled",
    "onWorkItemStartSucceeded",
]
EVENTS = [
    "workItemStartCook",
    "workItemSucceeded",
    "workItemFailed",
    "workItemCanceled",
    "workItemCancelled",
    "workItemFileResult",
    "workItemSetAttribute",
    "onSharedServerStarted",
]
SERVER = ["startCallbackServer", "stopCallbackServer", "isCallbackServerRunning", "custom_port_range"]
STATIC = ["static_onStartCook", "static_loadDependencies", "static_tick", "static_completed", "static_isWorkItemReady"]

#: What only has meaning inside Houdini, and a word of the reason that is given.
HOUDINI_ONLY = {
    "attributeInfo": "panes",
    "commonVars": "panes",
    "scriptInfo": "panes",
    "default": "Houdini's scheduler node",
    "getPollingClient": "PDGNet",
    "startService": "Houdini sessions",
    "stopService": "Houdini sessions",
}


class Everything(CallbackServerMixin, StaticCookMixin, PyScheduler):
    def onSchedule(self, work_item: object) -> object:
        raise NotImplementedError


@pytest.mark.parametrize("name", [*SCHEDULER, *OLD, *PYTHON])
def test_a_scheduler_has_it(name: str) -> None:
    assert hasattr(PyScheduler, name)


@pytest.mark.parametrize("name", [*EVENTS, *SERVER, *STATIC])
def test_the_mixins_bring_it(name: str) -> None:
    assert hasattr(Everything, name)
    if name.startswith("workItem"):
        assert hasattr(EventDispatchMixin, name)


@pytest.mark.parametrize(("name", "why"), HOUDINI_ONLY.items())
def test_what_only_houdini_has_says_so(name: str, why: str) -> None:
    scheduler = FakeHost().make(Everything)
    with pytest.raises(NotImplementedError, match=why):
        getattr(scheduler, name)("x") if name.startswith(("start", "stop")) else getattr(scheduler, name)()


@pytest.mark.parametrize("name", sorted({*SCHEDULER, *OLD, *PYTHON} - HOUDINI_ONLY.keys()))
def test_reading_it_on_an_instance_works(name: str) -> None:
    getattr(FakeHost().make(Everything), name)
