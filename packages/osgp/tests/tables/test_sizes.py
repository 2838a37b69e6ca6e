"""D7: every table that is printed is declared, so its declaration tells how long it is."""

from osgp.image import MeterImage
from osgp.tables import TABLES


def test_d7_the_sizes_of_a_real_meter_s_dump():
    image = MeterImage.load("image:denmark-gen3")
    dims = image.derive_dimensions()
    assert TABLES["BT24"].size(dims) == TABLES["BT25"].size(dims) == 226  # "226 at 11 sums/4 tiers" (p. 214)
