/** The page's style sheet: one column, light and dark, phone and paper. No font is fetched. */
import { FIGURE_FONT, type PageParts } from './pageParts.ts';

const light = `--paper:#fff;--panel:#f6f7f9;--text:#1f2328;--muted:#59616a;--line:#d9dde2;--accent:#0a5fb4;
--good:#116b43;--warn:#8a5300;--bad:#a8231b;--focus:#0a5fb4`;
const dark = `--paper:#16181c;--panel:#1f2227;--text:#e8eaed;--muted:#a5adb6;--line:#373c44;--accent:#7db8f5;
--good:#6fce9e;--warn:#e5b567;--bad:#f19a92;--focus:#7db8f5`;

/** The whole style sheet, the colours of the figures in it. */
export function styleSheet(parts: PageParts): string {
  return `${parts.fontFaces()}
:root{color-scheme:light;${light};${parts.declarations('light')}}
@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;${dark};${parts.declarations('dark')}}}
@media screen{:root[data-theme=dark]{color-scheme:dark;${dark};${parts.declarations('dark')}}}
${rules}`;
}

const rules = `*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:4rem}
body{margin:0;background:var(--paper);color:var(--text);font:16px/1.55 Inter,system-ui,-apple-system,"Segoe UI",Helvetica,Arial,"Liberation Sans",sans-serif;overflow-wrap:break-word}
main,header.top{max-width:72rem;margin:0 auto;padding:0 1.25rem}
main{padding-bottom:4rem}
header.top{padding-top:2.2rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .3rem;overflow-wrap:anywhere}
h2{font-size:1.3rem;margin:3rem 0 .8rem;padding-top:.6rem;border-top:1px solid var(--line)}
h3{font-size:1.02rem;margin:1.6rem 0 .4rem}
p,ul,ol{margin:.5rem 0;max-width:46rem}
li{margin:.25rem 0}
a{color:var(--accent)}
code,pre{font:.86em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.7rem .9rem;overflow-x:auto;margin:.6rem 0}
.muted,.note{color:var(--muted)}
.note{font-size:.88rem}
.lead{font-size:1.2rem;line-height:1.45;max-width:50rem;margin:1.2rem 0}
.questions{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(17rem,100%),1fr));gap:1rem;margin:1.2rem 0}
.questions>div{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:.9rem 1rem}
.questions h3{margin:0 0 .3rem}
.questions p{margin:.2rem 0}
.advice{border-left:4px solid var(--accent);padding:.1rem 0 .1rem 1rem;margin:1rem 0}
.advice p{margin:.35rem 0}
details{margin:.8rem 0;max-width:100%}
summary{cursor:pointer;color:var(--accent)}
.scroll{overflow-x:auto;max-width:100%;margin:.8rem 0}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
th,td{padding:.28rem .7rem;text-align:right;vertical-align:top;white-space:nowrap}
th{font-weight:600;border-bottom:1px solid var(--line)}
tbody th{border-bottom:0;text-align:left}
.text,th.text,td.text{text-align:left}
td.drawn{padding-right:0}
.glance tbody th{white-space:normal;min-width:15rem}
.glance svg{stroke:var(--muted);stroke-width:2;fill:var(--muted);vertical-align:middle}
.glance .zero{stroke:var(--line);stroke-width:1}
.glance .established,.glance .likely{stroke:var(--good);fill:var(--good)}
.glance .likely circle{fill:var(--paper)}
.glance .reversed{stroke:var(--bad);fill:var(--bad)}
td.wrap{white-space:normal;min-width:14rem;text-align:left}
tr.first>*{border-top:1px solid var(--line)}
.table1 th:first-child{text-align:left}
.table1 th[scope=row]{font-weight:400;padding-left:1.6rem}
tr.gain>*{color:var(--muted)}
th small{font-weight:400}
td small,td.paper{color:var(--muted);font-weight:400}
td small{font-size:.92em}
nav{font-size:.88rem;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:1.6rem 0 .6rem}
.controls{position:sticky;top:0;z-index:2;background:var(--paper);border-bottom:1px solid var(--line);padding:.45rem 0;margin:1rem 0;display:flex;flex-wrap:wrap;gap:.4rem 1.4rem;align-items:center}
.controls label{font-size:.88rem;color:var(--muted);display:flex;gap:.45rem;align-items:center;min-width:0}
select,button{font:inherit;font-size:.9rem;color:var(--text);background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.25rem .55rem;max-width:100%}
button{cursor:pointer}
select{min-width:0;max-width:15rem}
.controls button{margin-left:auto}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px}
figure{margin:1.8rem 0 2.4rem}
figure h3{margin-bottom:.5rem}
.plot{overflow-x:auto;border:1px solid var(--line);border-radius:8px}
.plot svg{display:block;max-width:100%;height:auto;margin:0 auto}
.plot text{font-family:"${FIGURE_FONT}",Inter,Helvetica,Arial,"Liberation Sans",sans-serif}
.plot .here{stroke:var(--focus);stroke-width:2.5}
.plot rect.here{fill:none;vector-effect:non-scaling-stroke}
.plot .matrix{fill:none;shape-rendering:crispEdges}
.plot .faded{opacity:.1}
figcaption{font-size:.88rem;color:var(--muted);max-width:52rem;margin-top:.5rem}
#tip{position:fixed;z-index:5;max-width:18rem;background:var(--text);color:var(--paper);font-size:.82rem;line-height:1.4;padding:.35rem .6rem;border-radius:6px;pointer-events:none;font-variant-numeric:tabular-nums}
#tip b{font-weight:600}
.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1.2rem;margin:.8rem 0}
.facts dt{color:var(--muted)}.facts dd{margin:0;overflow-wrap:anywhere}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
[hidden]{display:none!important}
@media (max-width:40rem){html{scroll-padding-top:6.5rem}.glance tbody th{min-width:9rem}body{font-size:15px}h1{font-size:1.4rem}.lead{font-size:1.06rem}.plot svg{max-width:none}.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:.5rem}main,header.top{padding-left:.9rem;padding-right:.9rem}.controls{gap:.3rem .8rem}}
@media print{@page{margin:15mm}body{font-size:10pt}main,header.top{max-width:none;padding:0}.controls,#tip,nav{display:none}h2{break-after:avoid}figure,.questions>div{break-inside:avoid}.scroll,.plot{overflow:visible}table{font-size:7.5pt}th,td{padding:.12rem .3rem}.plot{border:0}pre{white-space:pre-wrap}a{color:inherit}}
`;
