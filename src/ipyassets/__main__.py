"""``python -m ipyassets``."""

import sys

from ipyassets.cli import main

sys.exit(main())
