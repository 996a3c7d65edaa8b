"""How variables are read, before Django is there."""

import environ


class VariableOrFile(environ.fileaware_mapping.FileAwareMapping):  # type: ignore[misc]
    """Any variable may come from a file named by NAME_FILE; its last newline is the editor's."""

    def __getitem__(self, key: str) -> str:
        value: str = super().__getitem__(key)
        return value.rstrip("\r\n")
