"""The processor as a program: it builds the objects from the configuration and runs them until it is stopped.

The process (:mod:`~piprint.runtime.process`) and the graph of objects (:mod:`~piprint.runtime.service`). This room takes no
decision about jobs or printers.
"""
