"""What makes the module's program: runs on a computer, never on the module.

``python -m nesmodule_build FOLDER`` writes everything that goes on the module into a folder:

* :mod:`nesmodule_build.rewrite` turns the shared modules (:mod:`nesmodule_build.shared`) into what MicroPython takes;
* :mod:`nesmodule_build.device` holds what stands in on the module for what cannot be rewritten;
* :mod:`nesmodule_build.plan` makes constants of the table declarations;
* :mod:`nesmodule_build.package` compiles all of it and writes the list of what a slot holds.

This package does not know a serial port, a network or a chip.
"""
