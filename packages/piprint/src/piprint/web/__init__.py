"""The status page: what people see of the processor, and what they may ask of it.

The :mod:`~piprint.web.presenter` makes one picture of the service (:mod:`~piprint.web.view`), the :mod:`~piprint.web.server`
shows it to whoever may see it, and the :mod:`~piprint.web.client` asks for it from the command line. This room takes no
decision about jobs.
"""
