"""Names of the message queue in its imports and its bases; the mixin is never initialised."""
import logging
import os
import subprocess

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.job.mqrelay import MQRelay
from pdg.scheduler import PyScheduler
from pdg.utils import expand_vars, TickTimer, print_headless
from pdg.utils.mq import MQUtility, MQInfo, MQState, MQUsage, MQSchedulerMixin
from pdgutils import PDGNetMQRelay, mqGetError, mqCreateMessage, PDGNetMessageType, PDGNetLogLevel

logger = logging.getLogger(__name__)


class RelayScheduler(CallbackServerMixin, MQSchedulerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self.mq_info = MQInfo()
        self.mq_usage = MQUsage.LOCAL
        self.mq_state = MQState.NONE

    @classmethod
    def templateName(cls):
        return "relayscheduler"

    def onStart(self):
        self.initLogger(logger, logging.INFO)
        return True

    def onStartCook(self, static, cook_set):
        path = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(path, path)
        if self.mq_usage != MQUsage.CONNECT and not self.isCallbackServerRunning():
            self.startCallbackServer()
        self._verboseLog("working in {}", path)
        return True

    def workItemResultServerAddr(self):
        address = super().workItemResultServerAddr()
        if not address:
            return ""
        host, port = address.split(":")
        return "127.0.0.1:" + port if host else address

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = self.resolveBaseEnvironment("relay", None, work_item)
        self.addCommonJobEnvVars(env, work_item)
        env["PDG_RESULT_SERVER"] = self.workItemResultServerAddr()
        env["PDG_JOBUSE_PDGNET"] = "0"
        env.setdefault("PATH", os.environ["PATH"])
        command = self.expandCommandTokens(work_item.command, work_item)
        command = expand_vars(command, env)
        command = os.path.expandvars(command)
        self.workItemStartCook(work_item.id, -1)
        with open(os.path.join(self.logDir(True), work_item.name + ".log"), "w") as log:
            status = subprocess.call(command, shell=True, env=env, stdout=log, stderr=log)
        if status:
            self.workItemFailed(work_item.id, -1)
        else:
            self.workItemSucceeded(work_item.id, -1, 0)
        print_headless("{} ended with {}".format(work_item.name, status))
        return pdg.scheduleResult.Succeeded

    def onStopCook(self, cancel):
        self.setWorkItemResultServerAddr('')
        self.stopCallbackServer()
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(RelayScheduler, label="Relay")
