"""The computer that the gateway runs on: its log, the secrets in its files, its memory. How the first two work is :mod:`servicekit`'s.

This package does not know meters, readings or outputs.
"""
