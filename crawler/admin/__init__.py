"""Sources with their outcome, crawls, what they found, and the services and sessions they use."""

from crawler.admin import crawls, services, sessions, sources, videos

__all__ = ["crawls", "services", "sessions", "sources", "videos"]
