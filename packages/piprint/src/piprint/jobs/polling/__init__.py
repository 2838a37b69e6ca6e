"""Which rows to ask Business Central for, and when: decisions from numbers and times.

How often to ask, which claims of others have run out, which rows to leave alone for a while. This room asks nobody and waits
for nothing.
"""
