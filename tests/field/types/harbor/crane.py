import logging

logger = logging.getLogger("harbor")


def say(text):
    logger.info(text)


def lift(scheduler, item):
    """The environment of a job."""
    import os
    env = {}
    env.update(os.environ)
    scheduler.addCommonJobEnvVars(env, item)
    return env
