"""The made-up meter as data: what stands on its nameplate and in its settings, and which firmware has what.

This package does not know how tables are asked for, nor what a meter logs.
"""
