"""What people see of requests that failed."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """With the sentence of our own BadRequest. What Django refuses by itself (a forged host, say) is answered in plain."""
    if isinstance(exception, BadRequest):
        return render(request, "400.html", {"exception": str(exception)}, status=400)
    return HttpResponse("Bad request\n", status=400, content_type="text/plain; charset=utf-8")
