"""Direct printing for Microsoft Dynamics 365 Business Central: outgoing calls only, nothing lost, nothing twice."""

from typing import TYPE_CHECKING

from servicekit.version import version_attribute

if TYPE_CHECKING:
    __version__: str
else:
    __getattr__ = version_attribute("piprint")
