"""The computer that the gateway runs on: its log, and the secrets in its files. How these work is :mod:`servicekit`'s.

This package does not know meters, readings or outputs.
"""
