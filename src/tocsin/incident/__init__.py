"""Incident: what each source says happened, side by side; nothing merged, nobody declared right."""
