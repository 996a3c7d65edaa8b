"""Large tables change while photos are written to them."""

from io import StringIO

from django.core.management import call_command
from django.db import connection
from django.db.migrations.state import ProjectState
from django.test import TestCase, TransactionTestCase

from ingest.models import Job
from photochanger.db.online import AddIndexOnline
from photochanger.testing.marks import both_databases, only_postgresql
from slots.models import Slot
from stats.outcomes import cost_sums

FIGURES = ("job_figures_and_costs_by_time", "job_figures_of_event_by_time")


class FiguresIndexTests(TestCase):
    def test_indexes_of_figures_hold_every_column_of_costs(self) -> None:
        columns = {one.get_source_expressions()[0].name for one in cost_sums().values()}
        indexes = {index.name: index for index in Job._meta.indexes}
        for name in FIGURES:
            self.assertLessEqual(columns, set(indexes[name].include))

    @only_postgresql("only there an index can be built beside writers")
    def test_they_are_built_without_keeping_anybody_from_writing(self) -> None:
        told = StringIO()
        call_command("sqlmigrate", "ingest", "0019", stdout=told)
        statements = [line for line in told.getvalue().splitlines() if "INDEX" in line]
        self.assertTrue(statements)
        for line in statements:
            self.assertIn("INDEX CONCURRENTLY", line)


class LeftColumnTests(TestCase):
    @only_postgresql("only there a column stays for servers of the version before")
    def test_rows_are_written_without_it(self) -> None:
        slot = Slot.objects.get(pk="slot-015")
        Slot.objects.filter(pk="slot-015").delete()
        Slot.objects.bulk_create([slot])
        with connection.cursor() as cursor:
            cursor.execute("SELECT gallery_enabled FROM slot WHERE id = 'slot-015'")
            self.assertEqual(cursor.fetchone(), (False,))  # never wider than it is


@both_databases
class KilledTests(TransactionTestCase):
    serialized_rollback = True  # the next test of its kind finds the slots again

    def test_a_migration_that_was_killed_is_run_again(self) -> None:
        (index,) = [one for one in Job._meta.indexes if one.name == FIGURES[0]]
        state = ProjectState.from_apps(Job._meta.apps)
        operation = AddIndexOnline("job", index)
        for _again in range(2):
            with connection.schema_editor(atomic=False) as editor:
                operation.database_forwards("ingest", editor, state, state)
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, "job_history")
        self.assertIn(FIGURES[0], found)
