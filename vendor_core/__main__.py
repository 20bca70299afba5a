# SPDX-License-Identifier: Apache-2.0
"""`python -m vendor_core VERB`."""

import sys

from .cli import main

sys.exit(main())
