"""The columns of a slot that say how its pictures are printed."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PrintRules(models.Model):
    """What becomes of a picture before it goes to the booth."""

    class Paper(models.TextChoices):
        ANY = "", _("as the AI service makes it")
        UPRIGHT_4X6 = "4x6", _("4×6 in (10×15 cm), upright")
        ACROSS_6X4 = "6x4", _("6×4 in (15×10 cm), across")
        UPRIGHT_5X7 = "5x7", _("5×7 in (13×18 cm), upright")
        UPRIGHT_6X8 = "6x8", _("6×8 in (15×20 cm), upright")
        STRIP_2X6 = "2x6", _("2×6 in (5×15 cm), a strip")
        SQUARE = "square", _("6×6 in (15×15 cm), square")

    # With the database's own default: a server of the release before still writes its rows.
    paper = models.CharField(
        _("paper"),
        max_length=10,
        choices=Paper.choices,
        default=Paper.ANY,
        db_default=Paper.ANY,
        blank=True,
        help_text=_(
            "The AI service is asked for this shape and for as many pixels as it takes, where its "
            "settings leave that open. Then the picture is brought to exactly 300 dpi, and cropped "
            "so that no head is cut."
        ),
    )

    class Meta:
        abstract = True
