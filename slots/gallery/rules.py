"""The columns of a slot that say who sees its pictures."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from slots.secrets import make_link_token


class GalleryRules(models.Model):
    """What ``slots.gallery.modes`` makes one answer of."""

    class GalleryMode(models.TextChoices):
        """From the widest to the strictest."""

        OPEN = "open", _("everybody who guesses the link")
        SECRET = "secret", _("by a secret address")
        CLOSED = "closed", _("nobody")

    gallery_mode = models.CharField(
        _("who sees the gallery"),
        max_length=10,
        choices=GalleryMode.choices,
        default=GalleryMode.OPEN,
        help_text=_(
            "It shows the faces of all guests. The address of the open one is easy to guess; the "
            "secret one is in QR codes and links only, and can be replaced."
        ),
    )
    gallery_token = models.CharField(max_length=40, default=make_link_token, editable=False)
    gallery_until = models.DateTimeField(
        _("gallery open until"),
        null=True,
        blank=True,
        help_text=_("Then it closes. Empty: for as long as the slot is switched on."),
    )

    class Meta:
        abstract = True
