"""Business Central: its calls, its logins, and the two dialects of its extension behind one interface.

Whoever prints asks :class:`piprint.bc.queue.Queue` for jobs, claims them and tells how they ended; which extension answers,
and that it may be away for days, stays in here. This room does not know printers, nor what becomes of a job once it is
fetched.
"""
