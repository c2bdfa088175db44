"""What an evidence package tells people: `report.ky.html`, `report.ru.html`, `report.en.html`, `report.pdf`.

saying     the report's words, in one language
printing   the same as HTML and as PDF
packing    packages out of an archive's folder
stamping   asks a time-stamping authority
"""
