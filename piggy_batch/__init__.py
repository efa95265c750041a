"""Bulk import and export for Piggy (Leat), with a known fate for every row."""

__version__ = "0.1.0"
