"""The columns of a slot that say how its pictures are printed."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

COLOR = r"^#[0-9a-fA-F]{6}$"


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

    class TextPlace(models.TextChoices):
        TOP = "top", _("at the top")
        BOTTOM = "bottom", _("at the bottom")

    class QrCorner(models.TextChoices):
        NONE = "", _("none")
        TOP_LEFT = "top-left", _("top left")
        TOP_RIGHT = "top-right", _("top right")
        BOTTOM_LEFT = "bottom-left", _("bottom left")
        BOTTOM_RIGHT = "bottom-right", _("bottom right")

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

    frame_text = models.CharField(
        _("words on the print"),
        max_length=200,
        default="",
        db_default="",
        blank=True,
        help_text=_(
            "Up to three lines. Words from the booth stand in braces, as in the prompt: {guest}."
        ),
    )
    frame_text_place = models.CharField(
        _("where the words stand"),
        max_length=10,
        choices=TextPlace.choices,
        default=TextPlace.BOTTOM,
        db_default=TextPlace.BOTTOM,
    )
    frame_text_color = models.CharField(
        _("colour of the words"),
        max_length=7,
        default="#ffffff",
        db_default="#ffffff",
        validators=[RegexValidator(COLOR)],
    )
    frame_text_mm = models.PositiveSmallIntegerField(
        _("height of the letters, mm"),
        default=7,
        db_default=7,
        validators=[MinValueValidator(2), MaxValueValidator(40)],
        help_text=_("A line that is too long for the print is made smaller."),
    )
    frame_qr = models.CharField(
        _("QR code of the guest's page"),
        max_length=15,
        choices=QrCorner.choices,
        default=QrCorner.NONE,
        db_default=QrCorner.NONE,
        blank=True,
        help_text=_(
            "It leads the guest to the picture, where phones can open this server. Not on the "
            "booth's own photo: that has no page."
        ),
    )

    class Meta:
        abstract = True
