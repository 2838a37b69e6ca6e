"""From a list of rows in Business Central to a sheet of paper and its report: which jobs are taken, and what becomes of each.

The :mod:`~piprint.jobs.dispatcher` asks for work, a :mod:`~piprint.jobs.worker` for each printer claims one job at a time,
and a carrier (:mod:`piprint.jobs.printing`) takes it step by step to its end. What may have happened before a kill or a
broken connection is decided in :mod:`~piprint.jobs.recovery`. This room does not know the wire of either side, nor how the
status page looks.
"""
