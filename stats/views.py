from django.http import HttpRequest, HttpResponse


async def livez(request: HttpRequest) -> HttpResponse:
    """The process runs and answers; nothing else is looked at."""
    return HttpResponse("ok", content_type="text/plain")
