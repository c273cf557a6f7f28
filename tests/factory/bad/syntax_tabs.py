import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    def onSchedule(self, work_item):
        if work_item:
	return None


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
