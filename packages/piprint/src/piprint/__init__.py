"""Direct printing for Microsoft Dynamics 365 Business Central: outgoing calls only, nothing lost, nothing twice."""

__version__ = "0.1.0"
