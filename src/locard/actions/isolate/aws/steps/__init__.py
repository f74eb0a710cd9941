# SPDX-License-Identifier: Apache-2.0
"""The kinds of steps that isolating in AWS is made of, each with the way back."""
