"""What asks for which version, on descriptions of a few lines."""

import copy
import json
import tempfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from django.core.management import CommandError, call_command
from django.test import SimpleTestCase

from photochanger.management.commands import export_openapi
from photochanger.openapi_compat import Change, bump_version, compare, compute_digest

SLOT = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 100, "description": "What people see."},
        "kind": {"type": "string", "enum": ["a", "b"]},
    },
}
OLD: dict[str, Any] = {
    "info": {"version": "1.4.2", "title": "Slots"},
    "paths": {
        "/slots/{id}": {
            "put": {
                "operationId": "put_slot",
                "summary": "Change a slot",
                "parameters": [{"in": "path", "name": "id", "required": True, "schema": {}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": copy.deepcopy(SLOT)}},
                },
                "responses": {
                    "200": {
                        "description": "Done.",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Slot"}}
                        },
                    },
                    "404": {"description": "None."},
                },
            },
            "get": {"operationId": "get_slot", "responses": {"200": {"description": "It."}}},
        }
    },
    "components": {"schemas": {"Slot": SLOT}},
}


class ChangeTests(SimpleTestCase):
    def setUp(self) -> None:
        self.new = copy.deepcopy(OLD)
        self.put = self.new["paths"]["/slots/{id}"]["put"]
        self.sent = self.put["requestBody"]["content"]["application/json"]["schema"]
        self.read = self.new["components"]["schemas"]["Slot"]

    def assert_is(self, expected: Change) -> None:
        self.assertEqual(compare(OLD, self.new)[0], expected, compare(OLD, self.new)[1])

    def test_equal_documents_need_no_bump(self) -> None:
        self.assert_is("none")
        self.assertEqual(compute_digest(OLD), compute_digest(self.new))

    def test_the_version_itself_is_not_compared(self) -> None:
        self.new["info"]["version"] = "9.9.9"
        self.assert_is("none")

    def test_changed_descriptions_are_a_patch(self) -> None:
        self.put["summary"] = "Alter a slot"
        self.read["properties"]["name"]["description"] = "Its name."
        self.assert_is("patch")

    def test_additions_are_minor(self) -> None:
        self.new["paths"]["/slots"] = {"get": {"operationId": "list_slots", "responses": {}}}
        self.assert_is("minor")

    def test_new_responses_and_fields_are_minor(self) -> None:
        additions: list[Callable[[], object]] = [
            lambda: self.put["responses"].update({"409": {"description": "Stale."}}),
            lambda: self.put["parameters"].append({"in": "query", "name": "dry", "schema": {}}),
            lambda: self.read["properties"].update({"id": {"type": "string"}}),
            lambda: self.sent["properties"].update({"id": {"type": "string"}}),
            lambda: self.sent["properties"]["kind"]["enum"].append("c"),
            lambda: self.sent["properties"]["name"].update(maxLength=200),
            lambda: self.sent.update(required=[]),
        ]
        for add in additions:
            self.setUp()
            add()
            self.assert_is("minor")

    def test_removals_are_major(self) -> None:
        removals: list[Callable[[], object]] = [
            lambda: self.new["paths"].pop("/slots/{id}"),
            lambda: self.new["paths"]["/slots/{id}"].pop("get"),
            lambda: self.put["responses"].pop("404"),
            lambda: self.put["responses"]["200"].pop("content"),
            lambda: self.read["properties"].pop("kind"),
            lambda: self.sent["properties"].pop("kind"),
            lambda: self.sent["properties"]["kind"]["enum"].remove("b"),
            lambda: self.put["parameters"].pop(),
        ]
        for remove in removals:
            self.setUp()
            remove()
            self.assert_is("major")

    def test_stricter_requests_are_major(self) -> None:
        demands: list[Callable[[], object]] = [
            lambda: self.sent["required"].append("kind"),
            lambda: self.sent["properties"]["name"].update(maxLength=50),
            lambda: self.sent["properties"]["name"].update(pattern="^a"),
            lambda: self.sent["properties"]["name"].update(type="integer"),
            lambda: self.read.update(required=[]),  # a reader may have counted on it
            lambda: self.put.update(security=[{"Token": []}]),
            lambda: self.put.update(operationId="change_slot"),
            lambda: self.put["parameters"].append(
                {"in": "query", "name": "why", "required": True, "schema": {}}
            ),
        ]
        for ask in demands:
            self.setUp()
            ask()
            self.assert_is("major")

    def test_the_greatest_change_counts_and_is_named(self) -> None:
        self.put["responses"]["409"] = {"description": "Stale."}
        self.put["responses"].pop("404")
        self.assertEqual(
            compare(OLD, self.new), ("major", ["PUT /slots/{id}, responses, 404: gone"])
        )

    def test_versions_follow_semver(self) -> None:
        raises: list[Change] = ["none", "patch", "minor", "major"]
        self.assertEqual(
            [bump_version("1.4.2", by) for by in raises], ["1.4.2", "1.4.3", "1.5.0", "2.0.0"]
        )


class ExportTests(SimpleTestCase):
    """The command, on a folder where the last description lacks what the code has by now."""

    def setUp(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(dir="var")))
        self.contract, self.version = folder / "openapi.yaml", folder / "VERSION.json"
        files = {"CONTRACT": self.contract.resolve(), "VERSION": self.version.resolve()}
        for name, path in files.items():
            self.addCleanup(setattr, export_openapi, name, getattr(export_openapi, name))
            setattr(export_openapi, name, path)
        document = export_openapi.describe_api()
        document["info"]["version"] = "1.4.2"
        self.write(document)
        self.document = document

    def write(self, document: dict[str, Any]) -> None:
        self.contract.write_text(export_openapi.dump_yaml(document))
        self.version.write_text(json.dumps(export_openapi.make_version_record(document)))

    def export(self, *arguments: str) -> str:
        out = StringIO()
        call_command("export_openapi", *arguments, stdout=out, stderr=out)
        return out.getvalue()

    def exported_version(self) -> str:
        return str(yaml.safe_load(self.contract.read_text())["info"]["version"])

    def test_a_new_operation_needs_a_minor_bump(self) -> None:
        del self.document["paths"]["/api/providers"]
        self.write(self.document)
        for too_little in ((), ("--bump", "patch")):
            with self.assertRaisesMessage(CommandError, "--bump minor"):
                self.export(*too_little)
        self.assertEqual(self.exported_version(), "1.4.2")
        self.export("--bump", "minor")
        self.assertEqual(self.exported_version(), "1.5.0")
        self.assertEqual(export_openapi.read_version()["version"], "1.5.0")

    def test_a_removed_operation_needs_a_major_bump(self) -> None:
        self.document["paths"]["/api/gone"] = {"get": {"operationId": "gone", "responses": {}}}
        self.write(self.document)
        with self.assertRaisesMessage(CommandError, "--bump major"):
            self.export("--bump", "minor")
        self.export("--bump", "major")
        self.assertEqual(self.exported_version(), "2.0.0")

    def test_without_a_change_the_version_stays(self) -> None:
        self.export()
        self.assertEqual(self.exported_version(), "1.4.2")
