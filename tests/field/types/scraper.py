"""Keeps its jobs from calling back (no PDG_RESULT_SERVER), and reads what they print instead."""
import os
import subprocess

import pdg
from pdg.scheduler import PyScheduler


class Scraper(PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)

    @classmethod
    def templateName(cls):
        return "scraper"

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        env.pop("PDG_RESULT_SERVER", None)
        command = self.expandCommandTokens(work_item.command, work_item)
        done = subprocess.run(command, shell=True, env=env, stdout=subprocess.PIPE, universal_newlines=True)
        for line in done.stdout.splitlines():
            kind, _, rest = line.partition(": ")
            fields = rest.split(";")
            if kind == "PDG_START":
                self.onWorkItemStartCook(int(fields[0]), int(fields[1]))
            elif kind == "PDG_RESULT":
                number, index, path, tag, checksum = fields
                self.onWorkItemFileResult(int(number), int(index), self.localizePath(path), tag, int(checksum))
            elif kind == "PDG_SET_INT_ATTRIB":
                self.onWorkItemSetIntAttrib(int(fields[0]), -1, fields[-2], int(fields[-1]), 0)
        if done.returncode:
            return False
        self.onWorkItemSucceeded(work_item.id, -1, 0.5)
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(Scraper)
