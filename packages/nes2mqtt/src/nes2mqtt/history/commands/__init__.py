"""The commands of the history that run beside the gateway: export, import, backup, restore, acknowledge.

This package does not know the command line.
"""
