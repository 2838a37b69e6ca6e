"""The two extensions of Business Central that can be asked for jobs, each as the same interface.

PIPrint 1.0 (:mod:`~piprint.bc.dialects.webservice`) and our own (:mod:`~piprint.bc.dialects.api`), and what both do alike:
pages of rows, a fair share for each printer, the list of offered printers. This room does not know how a call travels or who
is logged in.
"""
