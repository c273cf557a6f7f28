import json

import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded

    @classmethod
    def templateBody(cls):
        return json.dumps({"parameters": [{"name": "cpus", "type": "Integer", "value": "many"}]})


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
