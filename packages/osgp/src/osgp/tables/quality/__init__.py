"""The quality of the supply: outages, sags, swells, phase losses, distortion.

This package does not know what quality somebody is owed.
"""

from osgp.tables.quality.quality import ET09

__all__ = ["ET09"]
