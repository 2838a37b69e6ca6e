"""The live page, the REST API, ``/metrics`` and the live stream, on one port.

Importing this package is cheap: the web framework is imported when :class:`WebOutput`
starts to run, so a gateway without a page does not pay for one.
"""

from nes2mqtt.web.config import WebConfig
from nes2mqtt.web.output import WebOutput

__all__ = ["WebConfig", "WebOutput"]
