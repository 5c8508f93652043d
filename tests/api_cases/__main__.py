"""``make api-cases``; see ``running.py``."""

import sys

from tests.api_cases.running import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
