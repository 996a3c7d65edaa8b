"""Our own words in details of failures, and the sentence that stands for each in the console."""

import re

from django.utils.translation import gettext_noop

from ingest.pipeline.template_pictures import NO_FRAME
from providers.error_body import NO_ERROR_OBJECT
from providers.meanings import PROXY_IS_NO_SOCKS, PROXY_REFUSED, REDIRECTED

# Pattern -> sentence. ``said`` is the service's own words; other names go into the sentence.
OWN = {
    r"the deadline passed while the provider worked": gettext_noop(
        "The waiting time ended while the AI service was at work."
    ),
    r"no whole answer within (?P<seconds>[\d.]+) s": gettext_noop(
        "It sent no whole answer within %(seconds)s s."
    ),
    r"an equal photo is still being worked on": gettext_noop(
        "The same photo had come before and was still in work."
    ),
    r"the booth hung up(?: on its way in| while it sent the photo)?": gettext_noop(
        "The booth closed the connection."
    ),
    r"no connection: (?P<said>.*)": gettext_noop("No connection came about."),
    r"connection lost: (?P<said>.*)": gettext_noop("The connection broke off."),
    r"not an address: (?P<said>.*)": gettext_noop("The service's address is not valid."),
    re.escape(PROXY_REFUSED): gettext_noop(
        "The proxy does not take the name and password of PROVIDER_PROXY_URL."
    ),
    re.escape(PROXY_IS_NO_SOCKS): gettext_noop(
        "The proxy does not speak SOCKS. If it is an HTTP one, PROVIDER_PROXY_URL begins with http://."
    ),
    NO_ERROR_OBJECT: gettext_noop(
        "Its answer explains nothing: it may come from a proxy or a gateway before it."
    ),
    rf"{REDIRECTED}, to (?P<host>\S+)": gettext_noop(
        "The service's address leads elsewhere, to %(host)s: it has moved, or this network wants a "
        "log-in first."
    ),
    REDIRECTED: gettext_noop(
        "The service's address leads elsewhere: it has moved, or this network wants a log-in first."
    ),
    r"the proxy of PROVIDER_PROXY_URL refuses this address: (?P<said>.*)": gettext_noop(
        "The proxy of PROVIDER_PROXY_URL does not let the AI service's address through."
    ),
    r"the proxy has no connection: (?P<said>.*)": gettext_noop("The proxy has no connection."),
    r"header \S+: the key contains characters that no key has": gettext_noop(
        "The key contains characters that no key has."
    ),
    r"answer longer than (?P<bytes>\d+) bytes": gettext_noop(
        "Its answer was longer than %(bytes)s bytes."
    ),
    r"the answer comes in too many pieces|answer packed in more than \d+ pieces": gettext_noop(
        "Its answer came in too many pieces."
    ),
    r"packed in a way that nobody asked for and that is not read here": gettext_noop(
        "Its answer was packed in a way that cannot be read here."
    ),
    r"a page instead of JSON": gettext_noop("It answered with a page for people."),
    r"there is no key for \S+": gettext_noop("No key of this AI service is set."),
    r"the slot's settings are not valid: (?P<said>.*)": gettext_noop(
        "The slot's settings are not valid."
    ),
    r"(?P<fields>.*): not right for (?P<operation>\S+) \(template: .*\)": gettext_noop(
        "For this operation a field is missing or must be empty: %(fields)s."
    ),
    r"template \S+ is not in storage": gettext_noop("A template picture's file is missing."),
    re.escape(NO_FRAME): gettext_noop(
        "It was printed without the slot's frame, which cannot be read. Upload the frame again."
    ),
    r"template \S+ cannot be read: .*": gettext_noop("A template picture cannot be read."),
    r"PUBLIC_MEDIA_BASE_URL is not set: the provider cannot fetch photos": gettext_noop(
        "PUBLIC_MEDIA_BASE_URL is not set: the AI service cannot fetch photos from here."
    ),
    r"PUBLIC_MEDIA_BASE_URL is not public: the provider cannot reach it": gettext_noop(
        "PUBLIC_MEDIA_BASE_URL is no public address: the AI service cannot reach it."
    ),
    r"pictures cannot be published from here": gettext_noop(
        "The AI service cannot fetch pictures from here."
    ),
    r"FIELD_ENCRYPTION_KEY is not set": gettext_noop("FIELD_ENCRYPTION_KEY is not set."),
    r"a stored key cannot be decrypted with FIELD_ENCRYPTION_KEY": gettext_noop(
        "The stored key cannot be read with this server's FIELD_ENCRYPTION_KEY."
    ),
    # The answer
    r"the picture is (?P<mime>\S+), which cannot be read here": gettext_noop(
        "Its picture is of a kind that cannot be read here: %(mime)s."
    ),
    r"the picture is (?P<size>\d+x\d+)": gettext_noop(
        "Its picture has an unusable size: %(size)s."
    ),
    r"the picture is not whole": gettext_noop("A part of its picture was missing."),
    r"the picture is (?:not base64|of no known kind)": gettext_noop("It sent no readable picture."),
    r"the picture (?P<said>.*)": gettext_noop("Its picture cannot be used."),
    r"no picture before the end was lost": gettext_noop(
        "The end of its answer was lost, and no picture had come before."
    ),
    r"not the documented JSON|neither JSON nor a page|JSON, but not an object": gettext_noop(
        "Its answer was not what its documentation says."
    ),
    r"an HTML page instead of JSON: probably the login page": gettext_noop(
        "It answered with a page for people, probably its log-in page."
    ),
    r"accepted, but without a queueid(?:: (?P<said>.*))?": gettext_noop(
        "It took the photo and gave it no number."
    ),
    r"done, but without a picture(?:: (?P<said>.*))?": gettext_noop(
        "It was done, without a picture."
    ),
    r"failed without an explanation": gettext_noop("It failed and did not say why."),
    r"the result's address is not valid(?:: .*)?": gettext_noop(
        "The address of its picture is not valid."
    ),
    r"the result's address answers HTTP (?P<status>\d+)": gettext_noop(
        "The address of its picture answers HTTP %(status)s."
    ),
    r"the file at the result's address is no picture of a known kind": gettext_noop(
        "At the address of its picture there is none."
    ),
    r"the result cannot be fetched: (?P<said>.*)": gettext_noop("Its picture cannot be fetched."),
    r"the result is at (?P<host>.*), which is not allowed": gettext_noop(
        "Its picture is at %(host)s, from where none may be fetched."
    ),
    r"the result's host (?P<host>.*) is not found": gettext_noop(
        "The address of its picture is not found: %(host)s."
    ),
    # The booth's request
    r"wrong password|too many wrong passwords": gettext_noop("The booth's password is wrong."),
    r"no password is set": gettext_noop("This server has no booth password yet."),
    r"no password": gettext_noop("The booth sent no password."),
    r"no photo": gettext_noop("There was no photo in the form."),
    r"the photo is empty": gettext_noop("The photo's file was empty."),
    r"the photo (?P<said>.*)": gettext_noop("The photo cannot be read to its end."),
    r"neither JPEG, PNG nor WEBP by content": gettext_noop("The file is no JPEG, PNG or WEBP."),
    r"the hash is missing or follows no known recipe": gettext_noop(
        "The booth's hash is missing or follows no known recipe."
    ),
    r"the key belongs to another photo": gettext_noop(
        "This Idempotency-Key came with another photo before."
    ),
    r"the key belongs to other words": gettext_noop(
        "This Idempotency-Key came with other words before."
    ),
    r"the database did not say in time whether the photo was let in": gettext_noop(
        "The database did not answer in time."
    ),
    r"a text field is too long": gettext_noop("A field of the form is too long."),
    r"too many passwords are being checked": gettext_noop(
        "So many passwords came at once that this one could not be checked in time."
    ),
    r"not decoded in time": gettext_noop(
        "So many photos came at once that its turn did not come in time."
    ),
    r"the upload took longer than the slot may wait": gettext_noop(
        "Its upload took longer than the slot may wait."
    ),
    r"the sender stalled in the middle of its body": gettext_noop(
        "The booth went silent in the middle of its upload."
    ),
    r"the body is empty": gettext_noop("The request was empty."),
    r"the body is not multipart/form-data|no usable boundary": gettext_noop(
        "It was no form (multipart/form-data)."
    ),
    r"the boundary of the Content-Type is nowhere in the body|the head of a part has no end"
    r"|a part is not in (?:base64|quoted-printable), as its head says": gettext_noop(
        "The form is not built as it must be."
    ),
    r"the body is compressed": gettext_noop("The request was compressed (Content-Encoding)."),
    r"the form was cut off": gettext_noop("The form was cut off on its way."),
}
