import pdg


def registerTypes(type_registry):
    type_registry.registerScheduler(pdg)
