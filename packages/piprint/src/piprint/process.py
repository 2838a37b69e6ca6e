"""The former name of :mod:`piprint.runtime.process`, for whoever starts ``python -m piprint.process``."""

import sys
from pathlib import Path

from piprint.runtime.process import main

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
