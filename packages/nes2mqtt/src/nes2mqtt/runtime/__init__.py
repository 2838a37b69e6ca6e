"""The running program: the graph of objects, the process around it, the watch over both, and the demonstration.

This package does not know what its parts do.
"""
