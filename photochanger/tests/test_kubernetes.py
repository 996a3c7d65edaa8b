"""deploy/kubernetes against the schemas of Kubernetes, and against what our programs say."""

import re
import runpy
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import yaml
from django.test import SimpleTestCase
from django.urls import resolve

from photochanger.testing.databases import BASE_DIR
from photochanger.testing.runbooks import manage_complaint
from photochanger.tests.test_env_example import parse_example
from photochanger.value_checks import check_network

FOLDER = BASE_DIR / "deploy/kubernetes"
VERSIONS = ("1.28", "1.32", kubernetes_validate.latest_version())
WORDS_OF_START = {"prepare", "serve"}


def read_base() -> dict[str, Any]:
    base: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    return base


def read_literals() -> list[str]:
    (generated,) = read_base()["configMapGenerator"]
    literals: list[str] = generated["literals"]
    return literals


def list_resources() -> Iterator[dict[str, Any]]:
    for name in read_base()["resources"]:
        yield from yaml.safe_load_all((FOLDER / name).read_text())


def list_pods() -> Iterator[dict[str, Any]]:
    for resource in list_resources():
        spec = resource["spec"]
        if resource["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if "template" in spec:
            yield spec["template"]["spec"]


class KubernetesTests(SimpleTestCase):
    def test_every_file_is_in_the_base(self) -> None:
        files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
        self.assertEqual(files, set(read_base()["resources"]))

    def test_every_resource_fits_the_schemas(self) -> None:
        for resource in list_resources():
            for version in VERSIONS:
                with self.subTest(resource["kind"], name=resource["metadata"]["name"], v=version):
                    kubernetes_validate.validate(resource, version, strict=True)

    def test_a_wrong_resource_is_found(self) -> None:
        resource = next(list_resources())
        resource["spec"]["replica"] = 2
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(resource, VERSIONS[-1], strict=True)

    def test_no_pod_may_do_more_than_it_needs(self) -> None:
        pods = list(list_pods())
        self.assertEqual(len(pods), 4)
        for pod in pods:
            self.assertTrue(pod["securityContext"]["runAsNonRoot"])
            self.assertEqual(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault")
            self.assertFalse(pod["automountServiceAccountToken"])
            (container,) = pod["containers"]
            limits = container["securityContext"]
            self.assertFalse(limits["allowPrivilegeEscalation"])
            self.assertTrue(limits["readOnlyRootFilesystem"])
            self.assertEqual(limits["capabilities"], {"drop": ["ALL"]})
            self.assertIn("memory", container["resources"]["limits"])

    def test_the_variables_are_ours_and_the_commands_exist(self) -> None:
        named = {literal.partition("=")[0] for literal in read_literals()}
        notes = (FOLDER / "kustomization.yaml").read_text().partition("is yours:")[2]
        secrets = set(re.findall(r"[A-Z][A-Z0-9_]+", notes))
        self.assertGreater(len(secrets), 5)
        self.assertLessEqual(named | secrets, set(parse_example()))
        for pod in list_pods():
            arguments = pod["containers"][0]["args"]
            if arguments[0] not in WORDS_OF_START:
                self.assertEqual(manage_complaint(arguments), "")

    def test_nothing_starts_until_the_proxies_are_named(self) -> None:
        literals = dict(line.split("=", 1) for line in read_literals())
        with self.assertRaisesMessage(ValueError, "must hold addresses or networks, such as"):
            check_network(literals["TRUSTED_PROXIES"])
        overlay = (BASE_DIR / "deploy/README.md").read_text().partition("behavior: merge")[2]
        named = re.search(r"- TRUSTED_PROXIES=(\S+)", overlay)
        assert named is not None
        self.assertEqual(check_network(named[1]), named[1])

    def test_a_pod_ends_after_its_photos_and_is_asked_at_addresses_that_exist(self) -> None:
        app = next(list_pods())
        leaves_s = int(dict(x.split("=", 1) for x in read_literals())["LEAVE_SECONDS"])
        graceful_s = runpy.run_path(str(BASE_DIR / "gunicorn.conf.py"))["graceful_timeout"]
        self.assertGreater(app["terminationGracePeriodSeconds"], graceful_s + leaves_s)
        (container,) = app["containers"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            self.assertEqual(resolve(container[probe]["httpGet"]["path"]).url_name, "livez")
        ready = container["readinessProbe"]
        self.assertGreater(leaves_s, ready["periodSeconds"] * ready["failureThreshold"])
