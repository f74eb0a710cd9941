# SPDX-License-Identifier: Apache-2.0
"""Playbooks: read strictly, switched on by people, carried out so that a crash repeats nothing.

The YAML files beside this are those that come with Locard; a person's own are in
LOCARD_HOME/playbooks. Nothing here knows a provider by name: what a playbook can do is what the
catalogue of actions holds.
"""
