from .first import Farm

LABEL = Farm.__name__
