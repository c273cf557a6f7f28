"""Report from a job to its cook: ``import pdgcmd`` in a script, or ``pdgcmd.py addOutputFile PATH`` from a shell.

On the host this is ``pdgjob.pdgcmd``; jobs find a copy in their script directory, beside a copy of the package.
The functions live in the modules of ``pdgjob``, which stay compiled between the runs of a script.
"""

import os
import sys

if __name__ != "pdgjob.pdgcmd":
    # python -I leaves the script's directory off the path; and somebody else's pdgjob may come first on it.
    _here = os.path.dirname(os.path.abspath(__file__))
    if os.path.basename(_here) == "pdgjob":
        _here = os.path.dirname(_here)
    if _here not in sys.path:
        sys.path.insert(0, _here)
    import pdgjob

    _beside = os.path.join(_here, "pdgjob")
    if _beside not in pdgjob.__path__ and os.path.isdir(_beside):
        pdgjob.__path__.insert(0, _beside)

if __name__ == "__main__":
    from pdgjob._cli import run

    run(sys.argv[1:])

from pdgjob._ask import appendSubItem, checkReady, getSharedServerInfo, getWorkItemJSON, waitUntilReady
from pdgjob._legacy import execBatchPoll, execBatchSuccess, execCommand, execItemFailed, execStartCook
from pdgjob._link import RpcError, RpcFault
from pdgjob._paths import delocalizePath, localizePath, makeDirSafe
from pdgjob._report import (
    addOutputFile,
    addOutputFiles,
    getItemIdFromEnv,
    invalidateCache,
    keepalive,
    printlog,
    reportResultData,
    reportServerStarted,
    setResultClientId,
    setResultServerAddr,
    setRpcDelegate,
    warning,
    workItemAppendLog,
    workItemCancelled,
    workItemFailed,
    workItemSetCookPercent,
    workItemSetCustomState,
    workItemStartCook,
    workItemSuccess,
)
from pdgjob._set import (
    setDictAttrib,
    setDictAttribArray,
    setFileAttrib,
    setFileAttribArray,
    setFloatAttrib,
    setFloatAttribArray,
    setIntAttrib,
    setIntAttribArray,
    setPyObjectAttrib,
    setStringAttrib,
    setStringAttribArray,
    writeAttribute,
)

__all__ = [
    "RpcError",
    "RpcFault",
    "addOutputFile",
    "addOutputFiles",
    "appendSubItem",
    "checkReady",
    "delocalizePath",
    "execBatchPoll",
    "execBatchSuccess",
    "execCommand",
    "execItemFailed",
    "execStartCook",
    "getItemIdFromEnv",
    "getSharedServerInfo",
    "getWorkItemJSON",
    "invalidateCache",
    "keepalive",
    "localizePath",
    "makeDirSafe",
    "printlog",
    "reportResultData",
    "reportServerStarted",
    "setDictAttrib",
    "setDictAttribArray",
    "setFileAttrib",
    "setFileAttribArray",
    "setFloatAttrib",
    "setFloatAttribArray",
    "setIntAttrib",
    "setIntAttribArray",
    "setPyObjectAttrib",
    "setResultClientId",
    "setResultServerAddr",
    "setRpcDelegate",
    "setStringAttrib",
    "setStringAttribArray",
    "waitUntilReady",
    "warning",
    "workItemAppendLog",
    "workItemCancelled",
    "workItemFailed",
    "workItemSetCookPercent",
    "workItemSetCustomState",
    "workItemStartCook",
    "workItemSuccess",
    "writeAttribute",
]
