"""Page: a report as a town hands it in, on A4, laid out as official documents are (GB/T 9704-2012), with its figures.

Type area, margins and sizes are the standard's; of the typefaces it names, the reader's machine shows those it has.
"""

from collections.abc import Sequence
from html import escape

from services.reporting.reports.figures import CountFound, Found, RateFound
from services.reporting.reports.narrative import Narrative, Section
from services.reporting.reports.words import UNITS, named, rate_said, said
from web.messages import Language

_STYLE = """
@page { size: A4; margin: 37mm 26mm 35mm 28mm;
        @bottom-center { content: "— " counter(page) " —"; font: 14pt SimSun, "Songti SC", serif; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 156mm; color: #000; background: #fff;
       font: 16pt/29pt FangSong, STFangsong, "Noto Serif CJK SC", serif; }
h1 { margin: 0 0 10pt; text-align: center; font: 22pt/34pt "FZXiaoBiaoSong-B05S", SimSun, "Noto Serif CJK SC", serif; }
.subtitle { margin: 0 0 29pt; text-align: center; text-indent: 0; font-family: KaiTi, STKaiti, serif; }
h2 { margin: 0; text-indent: 2em; break-after: avoid; font: 16pt/29pt SimHei, STHeiti, "Noto Sans CJK SC", sans-serif; }
p { margin: 0; text-indent: 2em; text-align: justify; }
.signed { margin-top: 29pt; text-align: right; text-indent: 0; break-before: avoid; }
.note { font-size: 10.5pt; line-height: 16pt; }
.annex { break-before: page; }
table { width: 100%; border-collapse: collapse; font-size: 10.5pt; line-height: 15pt; }
th, td { border: 0.5pt solid #000; padding: 2pt 4pt; text-align: left; vertical-align: top; }
th { font-family: SimHei, STHeiti, "Noto Sans CJK SC", sans-serif; font-weight: normal; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
col.figure { width: 22%; } col.value { width: 10%; } col.definition { width: 34%; }
td.value { text-align: right; white-space: nowrap; }
td.definition { font-size: 9pt; line-height: 12.5pt; }
:lang(en) p { text-align: left; text-indent: 0; margin-bottom: 8pt; }
:lang(en) p.signed { text-align: right; } :lang(en) h2 { text-indent: 0; }
@media screen { body { padding: 20mm 0; } }
@media screen and (max-width: 170mm) { body { padding: 5mm; } }
"""

_SIGNED = {Language.ZH: "（盖章）<br>　　　　年　　月　　日", Language.EN: "Seal and date"}
_ANNEX = {Language.ZH: "附：指标一览", Language.EN: "Annex: the figures"}
_BETWEEN = {Language.ZH: "、", Language.EN: ", "}
_HEAD = {
    Language.ZH: ("指标", "数值", "其中", "口径"),
    Language.EN: ("Figure", "Value", "Of these", "How it is counted"),
}


def write(narrative: Narrative, figures: Sequence[Found], language: Language) -> str:
    """Return a whole HTML document that needs nothing from anywhere: to be read, printed and filed."""
    rows = "\n".join(_row(found, language) for found in figures)
    head = "".join(f"<th>{escape(name)}</th>" for name in _HEAD[language])
    return f"""<!DOCTYPE html>
<html lang="{language.value}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(narrative.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(narrative.title)}</h1>
<p class="subtitle">{escape(narrative.subtitle)}</p>
<p>{escape(narrative.lead)}</p>
{"".join(_section(section) for section in narrative.sections)}
<p class="signed">{_SIGNED[language]}</p>
<section class="annex">
<h2>{_ANNEX[language]}</h2>
<p class="note">{escape(narrative.note)}</p>
<table>
<colgroup><col class="figure"><col class="value"><col><col class="definition"></colgroup>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</section>
</body>
</html>
"""


def _section(section: Section) -> str:
    paragraphs = "".join(f"<p>{escape(paragraph)}</p>\n" for paragraph in section.paragraphs if paragraph)
    return f"<h2>{escape(section.heading)}</h2>\n{paragraphs}"


def _row(found: Found, language: Language) -> str:
    title, definition = found.indicator.title, found.indicator.definition
    match found:
        case CountFound(indicator=count, amount=amount):
            value = f"{amount.value}{UNITS[count.unit].zh}" if language is Language.ZH else str(amount.value)
            parts = _BETWEEN[language].join(f"{named(count.slug, by, language)} {n}" for by, n in amount.by.items())
        case RateFound():
            value = rate_said(found, language)
            parts = f"{found.numerator.value}/{found.denominator.value}" if found.untold is None else ""
    return (
        f'<tr><td>{escape(said(title, language))}</td><td class="value">{escape(value)}</td><td>{escape(parts)}</td>'
        f'<td class="definition">{escape(said(definition, language))}</td></tr>'
    )
