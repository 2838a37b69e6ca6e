"""The computer that the gateway runs on: its text files, the secrets in them, its log, its service manager.

This package does not know meters, readings or outputs.
"""
