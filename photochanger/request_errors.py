"""What can be wrong with a booth's request, each with a sentence that says exactly that.

All of them are ``invalid_request``: a program needs one word, the person at the booth the reason.
``cause`` is the word in the operators' list of refusals.
"""

from django.utils.translation import gettext_lazy as _

from photochanger.errors import InvalidRequest, RateLimited, Throttled, UnsupportedMediaType


class NotAForm(InvalidRequest):
    cause = "not_a_form"
    sentence = _("The request is not a form (multipart/form-data), as a booth sends it.")


class FormWithoutBoundary(NotAForm):
    sentence = _(
        "The form's Content-Type names no usable boundary. The program that sends it must let its "
        "HTTP library write this header."
    )


class CompressedForm(UnsupportedMediaType):
    cause = "not_a_form"
    sentence = _(
        "The request is compressed (Content-Encoding). The program that sends it must send the "
        "form as it is."
    )


class EmptyForm(NotAForm):
    sentence = _("The request is empty: neither a photo nor a password came.")


class BrokenForm(NotAForm):
    sentence = _("The form is broken: where its parts begin and end cannot be read.")


class CutForm(NotAForm):
    sentence = _("The form broke off before its end. Check the connection and send it again.")


class TooManyFields(NotAForm):
    sentence = _("The form has too many fields.")


class PasswordTooLong(InvalidRequest):
    sentence = _("The password in the form is too long to be one.")


class FieldTooLong(InvalidRequest):
    sentence = _("A text field of the form is too long.")


class PhotoMissing(InvalidRequest):
    cause = "no_photo"
    sentence = _(
        "The form has no photo: it must be a file in the field fileToUpload, file or image."
    )


class PhotoInOtherField(PhotoMissing):
    sentence = _(
        "The form has a file, but in a field of another name: the photo must be in the field "
        "fileToUpload, file or image."
    )


class PasswordMissing(InvalidRequest):
    cause = "no_password"
    sentence = _("The form has no password: it must be in the field password.")


class UploadStalled(InvalidRequest):
    cause = "upload_slow"
    sentence = _("The request stopped arriving before its end. Check the connection.")


class UploadTooSlow(InvalidRequest):
    cause = "upload_slow"
    sentence = _("The photo took longer to arrive than the slot may wait. Check the connection.")


class BadIdempotencyKey(InvalidRequest):
    sentence = _("The Idempotency-Key is not printable, or longer than 200 characters.")


class UnreadableRequest(InvalidRequest):
    sentence = _("This is not an HTTP request that the server can read.")


class HeadTooLarge(InvalidRequest):
    sentence = _("The head of the request is too large.")


class ServerBusy(RateLimited):
    sentence = _("The server has too many connections. Try again in a few seconds.")


class LoginsBusy(Throttled):
    sentence = _("Too many people are logging in at once. Try again in a few seconds.")


class UnknownHost(InvalidRequest):
    cause = "unknown_host"
    sentence = _("This server does not answer under that name. ALLOWED_HOSTS lists its names.")
