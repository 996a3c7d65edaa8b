from uuid import uuid4

from django.contrib.auth.models import User
from django.db import models
from django.utils.translation import gettext_lazy as _

from slots.secrets import CiphertextField


class SecondFactor(models.Model):
    """An administrator's authenticator app. A new one is a new row, and so a new ``id``.

    One that was removed leaves a row without a secret. Its ``id`` is what sessions and tokens name
    from then on: those from before the app was set up name none, and must not count again.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor")
    secret = CiphertextField()  # base32, as the app has it; empty: removed
    last_step = models.BigIntegerField(default=-1)  # of the code taken last: none is taken twice
    recovery_hashes = models.JSONField(default=list)  # of the recovery codes that are left
    wrong_codes = models.PositiveIntegerField(default=0)  # of the app, since the last right one
    wrong_at = models.DateTimeField(null=True)  # the last of them
    created_at = models.DateTimeField()

    class Meta:
        db_table = "second_factor"
        verbose_name = verbose_name_plural = _("second factor")

    def __str__(self) -> str:
        return f"second factor of {self.user.get_username()}"
