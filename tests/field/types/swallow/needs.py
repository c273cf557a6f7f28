import swallow_farm_api_that_nobody_has

class SwallowScheduler:
    pass
