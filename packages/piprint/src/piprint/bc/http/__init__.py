"""HTTP as Business Central wants it: one session, few calls at once, the pauses it asks for, and errors in words.

This room does not know what is asked for: neither jobs nor printers.
"""
