import tractor.api.author


def connect():
    return tractor.api.author.connect()
