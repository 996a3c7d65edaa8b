"""Alerts, dashboard and their configuration: right by the tools that will read them."""

import json
import re
import tempfile
from pathlib import Path

import yaml
from django.conf import settings
from django.test import SimpleTestCase

from photochanger.testing.monitors import (
    DASHBOARD,
    DEPLOY,
    RULES,
    alerts,
    panel_queries,
    run,
    tool,
)

RUNBOOK = "deploy/runbooks/alerts.md"


class AlertsTests(SimpleTestCase):
    def test_each_alert_fires_in_time_and_not_earlier(self) -> None:
        run(tool("promtool"), "check", "rules", RULES)
        run(tool("promtool"), "test", "rules", DEPLOY / "prometheus/rules_test.yml")

    def test_every_alert_is_tested(self) -> None:
        tested = (DEPLOY / "prometheus/rules_test.yml").read_text()
        for alert in alerts():
            self.assertIn(f'alertname="{alert["alert"]}"', tested)

    def test_each_alert_has_a_summary_a_severity_and_a_runbook(self) -> None:
        runbook = (settings.BASE_DIR / RUNBOOK).read_text()
        sections = {word.lower() for word in re.findall(r"^#+ .*?\b([A-Za-z]+)\b", runbook, re.M)}
        for alert in alerts():
            with self.subTest(alert["alert"]):
                self.assertIn(alert["labels"]["severity"], ("critical", "warning"))
                self.assertTrue(alert["annotations"]["summary"])
                self.assertTrue(alert["annotations"]["description"])
                anchor = alert["alert"].lower()
                self.assertEqual(alert["annotations"]["runbook_url"], f"{RUNBOOK}#{anchor}")
                self.assertIn(anchor, sections)


class ConfigurationTests(SimpleTestCase):
    def test_the_prometheus_configuration_is_valid(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            token, config = Path(folder) / "token", Path(folder) / "prometheus.yml"
            token.write_text("token")
            (Path(folder) / "rules.yml").write_text(RULES.read_text())
            text = (DEPLOY / "prometheus/prometheus.yml").read_text()
            config.write_text(text.replace("/run/secrets/metrics_token", str(token)))
            run(tool("promtool"), "check", "config", config)

    def test_the_alertmanager_configuration_is_valid_and_names_existing_alerts(self) -> None:
        path = DEPLOY / "alertmanager/alertmanager.yml"
        run(tool("amtool"), "check-config", path)
        rules = yaml.safe_load(path.read_text())["inhibit_rules"]
        matchers = [
            m for rule in rules for m in (*rule["source_matchers"], *rule["target_matchers"])
        ]
        named = {name for matcher in matchers for name in re.findall(r"[A-Z]\w+", matcher)}
        self.assertLessEqual(named, {alert["alert"] for alert in alerts()})

    def test_every_query_of_the_dashboard_is_valid(self) -> None:
        rules = [{"record": f"q:{n}", "expr": q} for n, q in enumerate(panel_queries().values())]
        self.assertGreater(len(rules), 30)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
            file.flush()
            run(tool("promtool"), "check", "rules", "--lint=none", file.name)

    def test_the_panels_do_not_overlap_and_use_our_datasource(self) -> None:
        panels = json.loads(DASHBOARD.read_text())["panels"]
        taken: set[tuple[int, int]] = set()
        for panel in panels:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24)
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            self.assertFalse(taken & cells, panel["title"])
            taken |= cells
        sources = DEPLOY / "grafana/provisioning/datasources/prometheus.yml"
        (source,) = yaml.safe_load(sources.read_text())["datasources"]
        asked = {p["datasource"]["uid"] for p in panels if "datasource" in p}
        self.assertEqual(asked, {source["uid"]})
