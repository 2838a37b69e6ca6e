"""Has a printer, or its spooler, run on since it was given a job? A restart may have made it forget, or print twice.

This room finds out and numbers the runs; it does not know what follows for a job (:mod:`piprint.jobs.recovery` does).
"""
