"""The page's style sheet; nothing is loaded from elsewhere."""

CSS = """
:root{--ink:#1b2330;--soft:#5c6878;--line:#e3e7ed;--paper:#fff;--back:#f5f6f8;--sent:#8a94a3;
--accepted:#2f6fde;
--counted:#1c8a5f;--bad:#c4313a;--void:#b07407;--worst:#d97b2b}
@media (prefers-color-scheme:dark){:root{--ink:#e7ebf1;--soft:#9aa6b6;--line:#2f3845;--paper:#1a202a;
--back:#12161d;
--accepted:#6c9cf5;--counted:#46c08e;--bad:#ef6b73;--void:#e0a63c;--worst:#efa162}}
*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1040px;margin:0 auto;padding:24px 16px 64px}
header,section{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:18px 24px;
margin:0 0 16px}
section section{border:0;padding:0;margin:0}
header{border-left:8px solid var(--soft)}header.passed{border-left-color:var(--counted)}
header.failed,header.aborted{border-left-color:var(--bad)}header.void{border-left-color:var(--void)}
h1{font-size:24px;line-height:1.25;margin:2px 0 8px}header.failed h1{color:var(--bad)}
header.void h1{color:var(--void)}
header.passed h1{color:var(--counted)}
h2{font-size:16px;margin:0 0 10px}h2 small{font-weight:400;color:var(--soft);margin-left:6px}
h3{font-size:15px;margin:14px 0 6px}
.kicker,.sub{color:var(--soft);margin:0}.sub{font-size:13px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:500;font-size:13px}tr:last-child td{border-bottom:0}
tr.missed td{color:var(--bad);font-weight:600}tr.met td:last-child{color:var(--counted)}
pre{margin:0;padding:10px 12px;background:var(--back);border-radius:6px;overflow:auto;max-height:420px;
font:12.5px/1.5 ui-monospace,Menlo,Consolas,monospace}
svg{width:100%;height:auto;display:block}.grid{stroke:var(--line)}.tick{fill:var(--soft);font-size:11px}
.label{fill:var(--void);font-size:11px;paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.mark{stroke:var(--void);stroke-dasharray:3 3}.mark.bad{stroke:var(--bad)}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round}.area{stroke:none;opacity:.18}
.hover{fill:transparent}
.hover:hover{fill:var(--soft);fill-opacity:.12}
path.sent,circle.sent{stroke:var(--sent)}path.accepted,circle.accepted{stroke:var(--accepted)}
path.counted,circle.counted{stroke:var(--counted)}path.bad,circle.bad{stroke:var(--bad)}
path.worst,circle.worst{stroke:var(--worst)}path.area{stroke:none;fill:var(--counted)}
.legend{margin:0 0 4px;font-size:13px;color:var(--soft)}.key{margin-right:18px}
.swatch{display:inline-block;width:12px;height:3px;margin:0 6px 3px 0;background:var(--soft)}
.swatch.accepted{background:var(--accepted)}.swatch.counted{background:var(--counted)}
.swatch.bad{background:var(--bad)}.swatch.worst{background:var(--worst)}.swatch.sent{background:var(--sent)}
@media print{body{background:#fff}header,section{break-inside:avoid}}
""".strip().replace("\n", "")
