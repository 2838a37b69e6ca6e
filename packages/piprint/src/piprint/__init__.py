"""Direct printing for Microsoft Dynamics 365 Business Central: outgoing calls only, nothing lost, nothing twice.

``bc`` asks for jobs, ``jobs`` takes each to its end by way of ``documents`` and ``printers`` (which speak ``ipp``), and ``journal`` has every step on
disk before the next. ``config`` is the file, ``runtime`` the running program, ``web`` its page, ``cli`` its commands; ``doctor`` finds what is wrong.
``contract`` is what our extension offers, ``simulate`` a stand-in for Business Central, and ``demo`` shows all of it on one computer.

This package does not know meters.
"""

from typing import TYPE_CHECKING

from servicekit.version import version_attribute

if TYPE_CHECKING:
    __version__: str
else:
    __getattr__ = version_attribute("piprint")
