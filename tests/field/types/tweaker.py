"""Sets built-in parms as items of itself when a cook starts, asks for parms that do not exist without a guard against
None, and uses the numbered environment parms."""
import os
import subprocess
import threading

import pdg
from pdg.scheduler import PyScheduler, evaluateParamOr, convertEnvMapToUTF8
from pdg.job.callbackserver import CallbackServerMixin


class Tweaker(CallbackServerMixin, PyScheduler):

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self._running = []
        self._lock = threading.Lock()

    @classmethod
    def templateName(cls):
        return "tweaker"

    def onStart(self):
        self.custom_port_range = None
        self.startCallbackServer()

    def onStop(self):
        self.stopCallbackServer()

    def onStartCook(self, static, cook_set):
        self["pdg_tickperiod"] = 0.05
        self["pdg_maxitems"] = 2
        try:
            flag = self["tweaker_never"]
            self._never = flag.evaluateInt() if flag is not None else 0
        except Exception:
            self._never = 0
        assert self["pdg_maxitems"].evaluateInt() == 2
        assert abs(self["pdg_tickperiod"].evaluateFloat() - 0.05) < 1e-9
        assert self["pdg_maxitems"].evaluateFloat() == 2.0
        port = self["pdg_workingdir"]
        path = port.evaluateString()
        if hasattr(port, "evaluateBool"):
            self["pdg_waitforfailures"].evaluateBool()
        self.setWorkingDir(path, path)
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env, unset = self.resolveEnvParams("tweaker", work_item, True)
        for key in unset:
            env.pop(key, None)
        base = self.resolveBaseEnvironment("tweaker", None, work_item)
        base.update(env)
        self.resolvePathMapping(base)
        self.addCommonJobEnvVars(base, work_item)
        base["PATH"] = os.environ["PATH"]
        node = work_item.node
        slots = self.evaluateIntOverride(node, "tweaker", "slots", work_item, 1)
        weight = self.evaluateFloatOverride(node, "tweaker", "weight", work_item, 1.5)
        group = self.evaluateStringOverride(node, "tweaker", "group", work_item, "")
        urgent = self.evaluateBoolOverride(node, "tweaker", "urgent", work_item, False)
        assert isinstance(slots, int) and isinstance(weight, float) and not group and not urgent
        count = self.evaluateIntOverride(node, "tweaker", "envmulti", work_item, 0)
        for number in range(1, count + 1):
            key = self.evaluateStringOverride(node, "tweaker", "envname" + str(number), work_item, "")
            base[key] = self.evaluateStringOverride(node, "tweaker", "envvalue" + str(number), work_item, "")
        base = convertEnvMapToUTF8(base)
        command = 'test "$ANCHOR" = down && ' + self.expandCommandTokens(work_item.command, work_item)
        thread = threading.Thread(target=self._watch, args=(work_item.id, command, base, self.workingDir(True)))
        thread.start()
        with self._lock:
            self._running.append(thread)
        return pdg.scheduleResult.Succeeded

    def _watch(self, number, command, env, folder):
        self.onWorkItemStartCook(number, -1)
        if subprocess.call(command, shell=True, env=env, cwd=folder):
            self.onWorkItemFailed(number, -1)
        else:
            self.onWorkItemSucceeded(number, -1, 0.01)

    def onStopCook(self, cancel):
        for thread in self._running:
            thread.join()
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(Tweaker, name="tweaker", label="Tweaker", parm_category="Tweaker Parms")
