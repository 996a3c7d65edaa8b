"""What production installs: each file by its sum, listed with its licence."""

import json
import re

from django.test import SimpleTestCase

from photochanger.testing.databases import BASE_DIR
from photochanger.testing.inventory import PIN, list_images, list_licences, list_pins, make_sbom

LOCK = BASE_DIR / "deploy/requirements.lock"


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class LockTests(SimpleTestCase):
    def test_the_lock_pins_what_the_requirements_pin_and_nothing_else(self) -> None:
        asked, locked = list_pins(), list_pins(LOCK)
        self.assertGreater(len(asked), 60)
        names = PIN.findall(LOCK.read_text())
        self.assertEqual(len(names), len(locked), "one entry by package, or pip takes neither")
        self.assertEqual(
            {normalize(name): version for name, version in asked.items()},
            {normalize(name): version for name, version in locked.items()},
            "make lock",
        )

    def test_every_package_has_sums_and_no_place_of_ours_is_named(self) -> None:
        text = re.sub(r"^#.*\n", "", LOCK.read_text(), flags=re.MULTILINE)
        for entry in re.split(r"\n(?=\S)", text.strip()):
            self.assertRegex(entry, r"^[a-z0-9._-]+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+$")

    def test_nothing_is_installed_without_them(self) -> None:
        for file in ("Dockerfile", "Makefile"):
            self.assertRegex(
                (BASE_DIR / file).read_text(), r"--require-hashes .*-r (deploy/)?requirements\.lock"
            )


class InventoryTests(SimpleTestCase):
    def test_every_package_tells_its_licence(self) -> None:
        silent = [name for name, (_, told) in list_licences().items() if told == "not told"]
        self.assertEqual(silent, [])

    def test_no_licence_asks_for_our_source(self) -> None:
        for name, (_, told) in list_licences().items():
            self.assertNotRegex(told, r"\bAGPL|(?<!L)GPL-|Affero|(?<!Lesser )General Public", name)

    def test_the_bill_of_materials_names_every_package_and_image(self) -> None:
        document = json.loads(make_sbom())
        named = {(item["name"], item["version"]) for item in document["components"]}
        self.assertEqual(named, set(list_pins().items()) | set(list_images().items()))
        self.assertIn("caddy", list_images())
