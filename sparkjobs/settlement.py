"""`python -m sparkjobs.settlement`: one settlement (coordinator 5)."""

import sys

from sparkjobs.jobs.settlement import main

if __name__ == "__main__":
    sys.exit(main())
