"""The data link layer of C12.18: packets among other bytes, and messages cut into packets until the other end has them.

This package does not know what a message says.
"""
