"""Findings told: as text, SARIF and a page for strangers; why each matters, and what happened without it."""
