"""Commands that change something in the meter, and ask twice before.

This package does not know what a table or a procedure is for.
"""
