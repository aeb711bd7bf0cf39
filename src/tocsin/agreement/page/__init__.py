"""The readiness page: one HTML file, readable offline, that explains to a stranger what an agreement leaves open."""

from tocsin.agreement.page.readiness import readiness_page

__all__ = ["readiness_page"]
