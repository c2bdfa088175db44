"""e-Kyzmat: letters with records of staff. Reading order: `records`, `rules`, `format`."""

from adapters.formats.staff.format import E_KYZMAT, EKyzmatFormat

__all__ = ["E_KYZMAT", "EKyzmatFormat"]
