"""How the program comes onto the module and stays there: two slots, signed packages, safe mode.

This room stands outside of the slots and is never replaced by an update. It does not know meters or outputs.
"""
