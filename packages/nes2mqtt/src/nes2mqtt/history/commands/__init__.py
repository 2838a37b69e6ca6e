"""The commands of the history that run beside the gateway: export, backup, restore, acknowledge.

This package does not know the command line.
"""
