"""The page, the REST API, ``/metrics`` and the live stream, on one port.

``output`` opens the port; ``app`` puts together what is served there. Importing this package is cheap: the web
framework is imported when the output starts to run, so a gateway without a page does not pay for one.

This package does not know where readings come from.
"""
