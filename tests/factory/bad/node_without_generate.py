from pdg.processor import PyProcessor


class Frames(PyProcessor):
    def onGenerat(self, item_holder, upstream_items, generation_type):
        return None


def registerTypes(type_registry):
    type_registry.registerNode(Frames)
