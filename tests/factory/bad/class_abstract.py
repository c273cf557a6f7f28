import abc

import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler, abc.ABC):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded

    @abc.abstractmethod
    def connect(self):
        """To the farm."""


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
