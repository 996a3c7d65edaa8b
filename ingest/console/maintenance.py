"""Actions of the settings page: check a provider's key, clean the media cache."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ingest.cleanup import clean_up, load_last_cleanup
from ingest.console.messages import show_cleanup
from ingest.readiness.result import FAIL, OK, WARN, CheckResult
from photochanger.db import in_db
from photochanger.errors import InvalidFields, ProviderConfig
from providers.checking import NOT_CHECKED, KeyCheck
from providers.registry import DRIVERS
from slots.checked_keys.listed_models import remember_models
from slots.console.async_views import async_admin_view
from slots.console.pages import confirm_page
from slots.provider_keys import clean_key, load_provider_key


@async_admin_view
async def check_key(request: HttpRequest, provider: str) -> HttpResponse:
    """Check the key that was typed, or else the stored one; the response holds neither."""
    if provider not in DRIVERS or request.method != "POST":
        raise Http404
    try:
        typed = clean_key(provider, request.POST.get(f"key_of_{provider}"))
        key = typed or await in_db(load_provider_key, provider)
        checked = await DRIVERS[provider].check(key)
        await in_db(remember_models, provider, key, checked.models)
        verdict = _make_check_result(checked, is_typed=bool(typed))
    except InvalidFields as exc:
        verdict = CheckResult(FAIL, next(iter(exc.fields.values())))
    except ProviderConfig:
        words = _("The stored key cannot be read with this server's FIELD_ENCRYPTION_KEY.")
        verdict = CheckResult(FAIL, words, _("Enter the key anew."))
    return await in_db(render, request, "ingest/console/_check_result.html", {"verdict": verdict})


def _make_check_result(checked: KeyCheck, *, is_typed: bool) -> CheckResult:
    if checked.reason == NOT_CHECKED:
        return CheckResult(WARN, checked.sentence)
    if not checked.ok:
        return CheckResult(FAIL, checked.sentence)
    to_do = _("It is not saved yet: press “Save”.") if is_typed else ""
    return CheckResult(OK, checked.sentence, to_do)


@require_http_methods(["GET", "POST"])
def clean_cache(request: HttpRequest) -> HttpResponse:
    """GET: the last cleanup's report. POST: clean up, if that was confirmed."""
    is_part = request.headers.get("HX-Request") == "true"
    if request.method == "POST":
        if "confirmed" not in request.POST:
            return confirm_page(
                request,
                title=_("Clean the media cache?"),
                words=_(
                    "Only outdated results are deleted; the last processed file stays available."
                ),
                yes=_("Clean up"),
            )
        show_cleanup(request, clean_up(by=request.user.get_username()))
    if not is_part:
        return redirect("admin:slots_setting_changelist")
    context = {"report": load_last_cleanup(), "shows_messages": request.method == "POST"}
    return render(request, "ingest/console/_cleaned.html", context)
