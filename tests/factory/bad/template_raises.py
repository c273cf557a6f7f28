import json

import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded

    SHAPE = {"name": "farm"}

    @classmethod
    def templateBody(cls):
        return json.dumps(cls.SHAPE["parameters"])


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
