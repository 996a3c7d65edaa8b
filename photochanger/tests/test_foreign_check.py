import unittest

from photochanger.testing.databases import chosen_database
from photochanger.testing.fuzz import api
from photochanger.testing.marks import live_server

CASES, SEED = 2, 20261122


@live_server
class ForeignCheckTests(unittest.TestCase):
    def test_schemathesis_finds_no_answer_that_the_description_does_not_promise(self) -> None:
        if chosen_database() != "sqlite":
            self.skipTest("once is enough; `make fuzz` does it here with --postgres")
        checked = api.check(cases=CASES, seed=SEED)
        self.assertTrue(checked.is_well, checked.report)
        for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
            self.assertIn(f"✅ {phase}", checked.report)
        # Nor is anything broken behind the answers.
        self.assertNotIn('"http.crashed"', checked.server_log)
        self.assertNotIn("never retrieved", checked.server_log)
