"""Migrations of large tables on which photos are written meanwhile.

For migrations that are not atomic: where the database can, nobody waits for them. They may be
killed and run again; a killed one leaves a broken index behind, which holds the name.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class AddIndexOnline(migrations.AddIndex):
    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        _drop_index(schema_editor, self.index.name)
        more = {"concurrently": True} if _can_be_online(schema_editor) else {}
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.add_index(model, self.index, **more)


class RemoveIndexOnline(migrations.RemoveIndex):
    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        _drop_index(schema_editor, self.name)


def _can_be_online(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    return schema_editor.connection.vendor == "postgresql"


def _drop_index(schema_editor: BaseDatabaseSchemaEditor, name: str) -> None:
    how = "CONCURRENTLY " if _can_be_online(schema_editor) else ""
    schema_editor.execute(f"DROP INDEX {how}IF EXISTS {schema_editor.quote_name(name)}")
