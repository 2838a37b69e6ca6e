"""The first run: from no configuration to a gateway that reads a meter, in the browser or in the terminal.

:mod:`~nes2mqtt.setup.steps` has the questions as data and decides about answers; :mod:`~nes2mqtt.setup.wizard` asks this
computer, the meter and the broker whether they are right; :mod:`~nes2mqtt.setup.writing` writes the configuration, at the last
step and not before. Two front ends put the same questions in the same words: :mod:`~nes2mqtt.setup.terminal` and
:mod:`~nes2mqtt.setup.web`.

:mod:`~nes2mqtt.setup.changes` changes a configuration that is there already, for the page's view of the settings.

This package does not know how a gateway runs.
"""
