"""`python -m loanwatch`."""

import sys

from loanwatch.cli import main

if __name__ == "__main__":
    sys.exit(main())
