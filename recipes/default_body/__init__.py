# SPDX-License-Identifier: Apache-2.0
"""How the default body is made from MakeHuman's CC0 data: `python -m recipes.default_body.build`."""
