# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker process, and the one job that may run in it."""
