"""What flows from the meters to the outputs: readings, how a meter is, the hub that hands them on.

This package does not know where readings come from, nor what an output does with them.
"""
