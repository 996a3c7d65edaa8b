"""What links of guests may be refused."""

from django.utils.translation import gettext_lazy as _

from photochanger.errors import AppError


class ViewOnly(AppError):
    status, reason = 403, "view_only"
    sentence = _(
        "This link only shows the picture. Whoever has the booth's own link can delete it."
    )


class NoPublicAddress(AppError):
    status, reason = 409, "no_public_address"
    sentence = _(
        "This address opens on the server itself only. An administrator must set PUBLIC_BASE_URL."
    )
