# shipped beside the scheduler by its authors, for the jobs of old Houdinis: no scheduler, nothing to register
import os


def reportResultData(*args, **kwargs):
    raise RuntimeError("the wrong pdgcmd")
