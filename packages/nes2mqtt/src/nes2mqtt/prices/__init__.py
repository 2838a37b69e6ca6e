"""Spot prices of electricity: asked for on the internet or read from a file, and kept for ever.

:mod:`~nes2mqtt.prices.sources` has a module for each service; a source says which request to send and reads the answer, and
touches no socket. :mod:`~nes2mqtt.prices.schedule` says what to ask for next and when, :mod:`~nes2mqtt.prices.store` keeps
what came: a price that was kept is never changed, a correction is kept beside it. :mod:`~nes2mqtt.prices.keeper` is the task
that does it.

This package does not know energy, contracts or costs.
"""
