"""The columns of a slot that say who sees its pictures, and under which title."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from slots.secrets import make_link_token


class GalleryRules(models.Model):
    """What guests see; ``slots.gallery.modes`` makes one answer of who sees it."""

    class GalleryMode(models.TextChoices):
        """From the widest to the strictest."""

        OPEN = "open", _("everybody who guesses the link")
        SECRET = "secret", _("by a secret address")
        CLOSED = "closed", _("nobody")

    class Publishing(models.TextChoices):
        AT_ONCE = "at_once", _("at once")
        SORTED = "sorted", _("at once, but what looks unsafe waits for approval")
        AFTER_APPROVAL = "after_approval", _("after somebody has approved them")
        NEVER = "never", _("never")

    # With the database's own default: a server of the release before still writes its rows.
    public_title = models.CharField(
        _("title for guests"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("On guests' pages, in the gallery and the slide show. Empty: the name."),
    )
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
    publishing = models.CharField(
        _("pictures appear in gallery and slide show"),
        max_length=20,
        choices=Publishing.choices,
        default=Publishing.AT_ONCE,
        help_text=_(
            "Pictures are approved on a phone, by a link and a PIN. What looks unsafe is said by a "
            "small model on this machine within a second; it errs, and holds back rather too many. "
            "Each guest's own link works from the beginning, whatever is chosen here."
        ),
    )
    gallery_until = models.DateTimeField(
        _("gallery open until"),
        null=True,
        blank=True,
        help_text=_("Then it closes. Empty: for as long as the slot is switched on."),
    )

    class Meta:
        abstract = True

    @property
    def guest_title(self) -> str:
        """What guests read: with a title of its own, never the working name."""
        return self.public_title or str(self)
