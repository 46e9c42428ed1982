"""How long and hard the tortures are: $SHANGYI_TORTURE_SECONDS for each, $SHANGYI_TORTURE_SEED for another one."""

import os

SECONDS = float(os.environ.get("SHANGYI_TORTURE_SECONDS", "4"))
SEED = int(os.environ.get("SHANGYI_TORTURE_SEED", "3"))
WRITERS = 24
STREAMS = 40
