"""What production consists of: `make sbom` (CycloneDX) and `make licences` (a table).

Read from what is installed, by the names of requirements.txt; models and images are listed by hand.
"""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import yaml
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from photochanger.testing.databases import BASE_DIR

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)
CLASSIFIER = "License :: OSI Approved :: "


def list_pins(requirements: Path = BASE_DIR / "requirements.txt") -> dict[str, str]:
    """Names and versions of what production installs."""
    return dict(PIN.findall(requirements.read_text()))


def find_licence(package: Distribution) -> str:
    """The package's own word: an SPDX expression, else its classifiers, else its free text."""
    told = package.metadata
    classified = [
        text.removeprefix(CLASSIFIER)
        for text in told.get_all("Classifier") or ()
        if text.startswith(CLASSIFIER)
    ]
    free = (told.get("License") or "").strip().splitlines()
    return told.get("License-Expression") or ", ".join(classified) or (free or ["not told"])[0]


def list_licences() -> dict[str, tuple[str, str]]:
    """Version and licence by name. Raises PackageNotFoundError for one that is not installed."""
    return {
        name: (version, find_licence(distribution(name))) for name, version in list_pins().items()
    }


def list_images() -> dict[str, str]:
    """Images of others in compose.yaml, with their tags."""
    services = yaml.safe_load((BASE_DIR / "deploy/compose.yaml").read_text())["services"].values()
    names = (service["image"] for service in services if "${" not in service["image"])
    return dict(name.rsplit(":", 1) for name in names)


def make_sbom() -> str:
    """A CycloneDX document in JSON."""
    bom = Bom()
    root = Component(name="photochanger", type=ComponentType.APPLICATION, bom_ref="photochanger")
    bom.metadata.component = root
    for name, version in list_pins().items():
        url = PackageURL("pypi", name=name.lower().replace("_", "-"), version=version)
        bom.components.add(Component(name=name, version=version, purl=url, bom_ref=str(url)))
    for name, tag in list_images().items():
        kind = ComponentType.CONTAINER
        bom.components.add(Component(name=name, version=tag, type=kind, bom_ref=f"{name}:{tag}"))
    bom.register_dependency(root, bom.components)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)


def make_table() -> str:
    rows = [f"{name:32}{version:16}{told}" for name, (version, told) in list_licences().items()]
    return "\n".join((*sorted(rows, key=str.lower), "", "Models of faces: spec/licences.md"))


if __name__ == "__main__":
    try:
        sys.stdout.write((make_sbom() if sys.argv[1:] == ["sbom"] else make_table()) + "\n")
    except PackageNotFoundError as exc:
        sys.exit(f"{exc} is not installed: make install")
