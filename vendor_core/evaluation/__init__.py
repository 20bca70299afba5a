# SPDX-License-Identifier: Apache-2.0
"""The protocol that priors are judged by."""
