import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))
if _here not in sys.path:
    sys.path.append(_here)

import logging
logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)


def registerTypes(type_registry):
    # imported late: the farm's client is not installed everywhere
    try:
        from . import onejob
    except ImportError:
        logger.exception("onefarm")
        raise
    logger.info("onefarm: registering")
    type_registry.registerScheduler(onejob.OneJob, name="onejob", label="One Job", parm_category="One Farm")
