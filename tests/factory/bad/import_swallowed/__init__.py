try:
    from .scheduler import Farm
except ImportError:
    print("the farm is not available")


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, label="Farm")
