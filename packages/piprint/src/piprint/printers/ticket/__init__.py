"""The job ticket: what a job gets at its printer, from what was chosen, what the rules say and what the printer can do.

Here, too, is what a printer offers in Business Central, because a user's choice comes back in those words. All of it is pure
functions. This room asks no printer and opens no document.
"""
