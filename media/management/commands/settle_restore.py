from typing import Any

from django.core.management.base import BaseCommand

from media.cleanup import Sweep
from media.deletion import forget_deleted


class Command(BaseCommand):
    help = (
        "After a database was restored: pictures that were deleted since stay deleted, and those "
        "whose files are not there any more are told to be gone (410). restore.sh does it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        again = forget_deleted()
        sweep = Sweep(expects_loss=True)
        sweep.mark_lost()
        self.stdout.write(
            f"{again} pictures that had been deleted are deleted again; "
            f"{sweep.lost_files} are not kept any more."
        )
