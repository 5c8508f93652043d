"""``evertill-server`` with limits of connections that a test can wait for."""

import sys

from sync_server.api.connections import ConnectionLimits
from sync_server.commands import main, serving

SHORT = ConnectionLimits(
    head_s=0.6,
    body_pause_s=0.6,
    request_s=1.5,
    answer_pause_s=0.6,
    drained_bytes_max=256 * 1024,
    per_address=20,
)

if __name__ == "__main__":
    serving.LIMITS = SHORT
    sys.argv += ["--per-address", str(SHORT.per_address)]
    main()
