"""What may be wrong with a second factor, beside what ``photochanger.errors`` has."""

from django.utils.translation import gettext_lazy as _

from photochanger.errors import AppError, Unauthorized


class InvalidCode(Unauthorized):
    reason = "invalid_code"
    sentence = _("This code is wrong or was used before. Wait for the next one in the app.")


class SecondFactorRequired(Unauthorized):
    reason = "second_factor_required"
    sentence = _(
        "The code of the authenticator app is asked for too. Who has no second factor yet sets it "
        "up in the console."
    )


class SecondFactorUnreadable(AppError):
    status, reason = 503, "second_factor_unreadable"
    sentence = _(
        "The server cannot read your second factor: FIELD_ENCRYPTION_KEY has changed. Log in with "
        "a recovery code, or have it removed on the server: manage.py second_factor --remove NAME."
    )
