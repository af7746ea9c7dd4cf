"""Whatever list a page shows, as a file."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.export_limits import seconds_to_wait
from catalog.exports import FORMATS, export
from pages.rising import read_filters


@require_safe
def videos(request: HttpRequest, extension: str) -> HttpResponseBase:
    """The same parameters as the feed's; what of them means nothing is a 400, because a file cannot say so."""
    filters, errors = read_filters(request)
    if errors:
        raise BadRequest(" ".join(f"{name}: {sentence}" for name, sentence in errors.items()))
    if wait := seconds_to_wait(request):
        message = _("Too many exports in this minute. Try again in %(n)d seconds.") % {"n": wait}
        refusal = render(request, "429.html", {"detail": message}, status=429)
        refusal["Retry-After"] = str(wait)
        return refusal
    found = export(filters)
    response: HttpResponseBase = HttpResponse() if request.method == "HEAD" else StreamingHttpResponse(found.stream(extension))
    response["Content-Type"] = FORMATS[extension]
    response["Content-Disposition"] = f'attachment; filename="{found.filename(extension)}"'
    response["Cache-Control"] = "private, no-store"
    return response
