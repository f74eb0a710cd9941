# SPDX-License-Identifier: Apache-2.0
"""A simulated account of AWS with a compromised instance, for watching a response from alert to
release without an account of one's own. moto answers; the front corrects it where it errs.
"""
