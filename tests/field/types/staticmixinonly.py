"""Leaves onScheduleStatic to the mixin, and calls nothing of it itself."""
import os
import subprocess

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
from pdg.staticcook import StaticCookMixin


class StaticMixinOnly(CallbackServerMixin, StaticCookMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        StaticCookMixin.__init__(self)
        CallbackServerMixin.__init__(self, True)

    @classmethod
    def templateName(cls):
        return "staticmixinonly"

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        status = subprocess.call(self.expandCommandTokens(work_item.command, work_item), shell=True, env=env)
        return pdg.scheduleResult.CookFailed if status else pdg.scheduleResult.CookSucceeded


def registerTypes(type_registry):
    type_registry.registerScheduler(StaticMixinOnly)
