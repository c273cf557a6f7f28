from .first import Farm

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
