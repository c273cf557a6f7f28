from .second import LABEL

import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    label = LABEL

    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded
