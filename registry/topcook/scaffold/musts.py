"""What a new file says for the callbacks that PDG's help page calls a must, unless its kind says otherwise."""

from __future__ import annotations

__all__ = ["MUSTS"]

MUSTS: dict[str, str] = {
    "onScheduleStatic": "# Nothing: each work item comes to onSchedule when it is ready.\nreturn None",
    "onStart": "return True",
    "onStop": "return True",
    "onStartCook": """
here = self["pdg_workingdir"].evaluateString()
# The second is what the farm's machines call the same directory.
self.setWorkingDir(here, here)
if not self.isCallbackServerRunning():
    self.startCallbackServer()  # for jobs that report themselves, with pdgcmd
return True
""",
    "onStopCook": "self.stopCallbackServer()\nreturn True",
    "workingDir": "return super().workingDir(local)",
    "localizePath": "return super().localizePath(path)",
    "transferFile": "return super().transferFile(file_path)",
    "getLogURI": 'return "file:///" + self._log_path(work_item).lstrip("/")',
    "getStatusURI": 'return ""  # the page of the job on the farm, if it has one',
}
