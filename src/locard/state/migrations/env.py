# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: runs the migrations on the connection that `database.open_state` hands over.

Only `make` compares them with the tables, and hands these over: a state file is made without them.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("tables"),
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
