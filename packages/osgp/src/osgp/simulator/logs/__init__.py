"""What the simulated meter keeps of the past: self reads, load profiles, events, outages.

All of it is worked out from the house, its history and the time when it is read, so that nothing has to be kept over a
restart: :class:`~osgp.simulator.logs.recorder.Recorder` gives the tables. This package does not know how tables are asked for.
"""
