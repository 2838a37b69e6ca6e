"""The ports of a meter at work: serial lines and network connections (:mod:`~osgp.ports.transport`), and requests over them.

:mod:`~osgp.ports.mep_port` and :mod:`~osgp.ports.optical_port` drive the two sans-IO links by ``await``; what both do alike is in
:mod:`~osgp.ports.connection`; :mod:`~osgp.ports.recovery` brings back a meter that fell silent.
:mod:`~osgp.ports.module_line` reaches a module in the meter, and :mod:`~osgp.ports.tap` is what both ends say. This package does not know what
stands in a table, or which one to ask for.
"""
