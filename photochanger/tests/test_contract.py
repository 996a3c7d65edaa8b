import json
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from typing import Any
from unittest import mock

import yaml
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import SimpleTestCase
from django.urls import reverse

from photochanger.api import api
from photochanger.errors import ERROR_BY_REASON
from photochanger.management.commands import export_openapi

ERROR_SCHEMA = {"$ref": "#/components/schemas/ErrorOut"}


@cache  # parsing takes half a second
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(export_openapi.CONTRACT.read_text())
    return found


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


class ContractTests(SimpleTestCase):
    def test_the_file_is_what_the_code_says(self) -> None:
        out = StringIO()
        call_command("export_openapi", "--check", stdout=out)
        self.assertIn("agree", out.getvalue())

    def test_the_version_has_one_source(self) -> None:
        version = export_openapi.read_version()["version"]
        self.assertEqual({api.version, document()["info"]["version"]}, {version})

    def test_the_version_belongs_to_this_document(self) -> None:
        self.assertEqual(
            export_openapi.read_version(), export_openapi.make_version_record(document())
        )

    def test_every_response_is_described(self) -> None:
        for where, operation in operations():
            for status, answer in operation["responses"].items():
                with self.subTest(where, status=status):
                    self.assertTrue(answer["description"])
                    for media in answer.get("content", {}).values():
                        self.assertTrue(media.get("schema"))

    def test_every_body_and_parameter_is_described(self) -> None:
        for where, operation in operations():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                self.assertTrue(media["schema"], where)
            for parameter in operation.get("parameters", []):
                with self.subTest(where, parameter=parameter["name"]):
                    self.assertTrue(parameter["schema"])

    def test_all_but_the_public_operations_ask_for_a_token(self) -> None:
        for where, operation in operations():
            path = where.split()[1]
            is_public = path.startswith(("/public/", "/ingest/", "/api/ingest/", "/api/jobs/"))
            with self.subTest(where):
                self.assertNotEqual(
                    bool(operation.get("security")), is_public or path == "/api/login"
                )
                if operation.get("security"):
                    self.assertLessEqual({"401", "403"}, operation["responses"].keys())

    def test_every_link_leads_to_an_operation_and_its_parameters(self) -> None:
        by_name = {operation["operationId"]: operation for _, operation in operations()}
        links = [
            link
            for operation in by_name.values()
            for answer in operation["responses"].values()
            for link in answer.get("links", {}).values()
        ]
        self.assertGreater(len(links), 10)
        for link in links:
            known = {p["name"] for p in by_name[link["operationId"]].get("parameters", [])}
            self.assertLessEqual(link.get("parameters", {}).keys(), known)

    def test_ninja_emits_no_warnings(self) -> None:
        out = StringIO()
        with redirect_stdout(out):
            api.get_openapi_schema(path_prefix="")
        self.assertEqual(out.getvalue(), "")

    def test_every_operation_says_what_it_does(self) -> None:
        names = [operation["operationId"] for _, operation in operations()]
        self.assertEqual(len(names), len(set(names)))
        for where, operation in operations():
            with self.subTest(where):
                self.assertTrue(operation["summary"])
                self.assertTrue(operation["description"])
                self.assertTrue(operation["tags"])

    def test_every_failure_is_shown_by_an_example(self) -> None:
        for where, operation in operations():
            refusals = {s: a for s, a in operation["responses"].items() if int(s) >= 400}
            self.assertTrue(refusals, where)
            for status, answer in refusals.items():
                with self.subTest(where, status=status):
                    body = answer["content"]["application/json"]
                    self.assertEqual(body["schema"], ERROR_SCHEMA)
                    self.assertTrue(body["examples"])
                    for reason, example in body["examples"].items():
                        self.assertEqual(example["value"]["failure_reason"], reason)
                        self.assertEqual(ERROR_BY_REASON[reason].status, int(status))
                        self.assertIn(f"`{reason}`", answer["description"])

    def test_the_response_to_a_photo_is_a_picture_with_its_headers(self) -> None:
        for path in ("/ingest/{slot_id}", "/api/ingest/{slot_id}"):
            operation = document()["paths"][path]["post"]
            picture = operation["responses"]["200"]
            self.assertEqual(set(picture["content"]), {"image/jpeg", "image/png", "image/webp"})
            self.assertEqual(
                set(picture["headers"]),
                {"X-Job-Id", "X-Result-Url", "X-PhotoChanger-Replay", "X-PhotoChanger-Fallback"},
            )
            form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
            self.assertEqual(form["required"], ["password", "fileToUpload"])

    def test_every_reference_leads_somewhere(self) -> None:
        found = document()
        for name in re.findall(r"#/components/schemas/(\w+)", json.dumps(found)):
            self.assertIn(name, found["components"]["schemas"])


class DocsPageTests(SimpleTestCase):
    def test_the_page_loads_only_our_own_files(self) -> None:
        page = self.client.get("/api/docs").content.decode()
        self.assertNotRegex(page, r"https?:|[\"'(]//")
        loaded = re.findall(r"(?:src|href)=\"([^\"]+)\"", page)
        self.assertGreater(len(loaded), 3)
        for address in loaded:
            self.assertTrue(address.startswith(settings.STATIC_URL), address)
            self.assertTrue(finders.find(address.removeprefix(settings.STATIC_URL)), address)

    def test_no_public_validator_is_used(self) -> None:
        self.assertContains(self.client.get("/api/docs"), '"validatorUrl": null')

    def test_the_page_loads_our_own_document(self) -> None:
        url = reverse("api:openapi-json")
        self.assertContains(self.client.get("/api/docs"), url)
        self.assertEqual(self.client.get(url).json()["info"]["title"], "PhotoChanger")

    def test_the_document_is_made_once_and_known_by_its_etag(self) -> None:
        first = self.client.get("/api/openapi.json", headers={"accept-language": "ru"})
        with mock.patch.object(api, "get_openapi_schema", side_effect=AssertionError):
            second = self.client.get("/api/openapi.json", headers={"accept-language": "en"})
            unchanged = self.client.get(
                "/api/openapi.json", headers={"if-none-match": first["ETag"]}
            )
        self.assertEqual(first.content, second.content)
        self.assertNotIn("Cookie", first.get("Vary", ""), "anybody asks for it: no session")
        self.assertEqual((unchanged.status_code, unchanged.content), (304, b""))
