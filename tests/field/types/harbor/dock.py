from __future__ import print_function, absolute_import

import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin

from .crane import lift
from . import crane

import harborlib


class HarborScheduler(CallbackServerMixin, PyScheduler):
    """Its template name has capitals."""

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self._ships = {}

    @classmethod
    def templateName(cls):
        return "HarborScheduler"

    @classmethod
    def templateBody(cls):
        return '''{
            "name": "HarborScheduler",
            "parameters": [
                {"name": "harbor_piers", "label": "Piers", "type": "int", "size": 1, "value": 2},
                {"name": "harbor_night", "type": "bool", "value": 0, "tag": ["pdg::scheduler"]},
                {"name": "harbor_tide", "label": "Tide", "type": "Float", "size": 2, "value": [0.5, 1.5]}
            ]
        }'''

    def onStartCook(self, static, cook_set):
        crane.say("piers: %d" % self["harbor_piers"].evaluateInt())
        self.setWorkingDir(self["pdg_workingdir"].evaluateString(), self["pdg_workingdir"].evaluateString())
        self.startCallbackServer()
        return True

    def onSchedule(self, work_item):
        if len(self._ships) >= self["harbor_piers"].evaluateInt():
            return pdg.scheduleResult.FullDeferred
        self.createJobDirsAndSerializeWorkItems(work_item)
        command = PyScheduler.expandCommandTokens(self, work_item.command, work_item)
        self._ships[work_item.id] = (work_item.name, harborlib.sail(command, lift(self, work_item), self.workingDir(True)))
        self.onWorkItemStartCook(work_item.id, -1)
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        for item_id in list(self._ships):
            name, ship = self._ships[item_id]
            code = ship.poll()
            if code is None:
                continue
            del self._ships[item_id]
            if code == 0:
                self.onWorkItemSucceeded(item_id, -1, 0)
            else:
                self.onWorkItemFailed(item_id, -1)
        return pdg.tickResult.SchedulerReady

    def onStopCook(self, cancel):
        for name, ship in self._ships.values():
            ship.kill()
            ship.wait()
        self._ships.clear()
        return True
