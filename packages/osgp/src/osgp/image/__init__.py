"""Files: images of meters, the table memory of a meter that people can read, share, compare and simulate; and values for other programs.

:mod:`~osgp.image.meter_image` is the file, :mod:`~osgp.image.dump` a file that is still being filled from a meter, :mod:`~osgp.image.diff`
tells what differs between two of them; :mod:`~osgp.image.parquet` writes columns of values. This package does not know how a meter is read, or who serves an image.
"""

from osgp.image.meter_image import MeterImage, image_names

__all__ = ["MeterImage", "image_names"]
