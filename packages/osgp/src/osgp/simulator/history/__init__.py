"""What happens to the simulated meter in the course of time, and how it is configured.

* :mod:`~osgp.simulator.history.happenings`: power cuts, a clock that is set, lost phases and others, in their order.
* :mod:`~osgp.simulator.history.undelivered`: the energy that nobody drew because of them.
* :mod:`~osgp.simulator.history.configuration`: the load profiles that a meter is configured for.
* :mod:`~osgp.simulator.history.scenarios`: the same as people write it on a command line.

This package does not know tables or ports.
"""
