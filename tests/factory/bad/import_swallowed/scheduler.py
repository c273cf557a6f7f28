import tractor.api.author
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    def onSchedule(self, work_item):
        return tractor.api.author.Job()
