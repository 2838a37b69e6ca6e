"""One job, from its claim to its end: checked, sent to its printer, followed, ended or cleared up.

The :mod:`~piprint.jobs.printing.carrier` takes the steps; beside it stand the questions it has to settle: is the job still
ours, is the printer there, how long is it waited for, has it restarted. This room does not know which jobs there are, nor the
wire of Business Central or of a printer.
"""
