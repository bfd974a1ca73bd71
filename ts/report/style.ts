/** The look of the page: system fonts, two accents (measured blue, published ochre), cards instead of a table when narrow. */
export const style = `
:root {
  --page: #faf9f6; --card: #ffffff; --ink: #21201d; --soft: #5f5c55; --faint: #d9d5cb; --rule: #ebe8e0;
  --measured: #1d5fa6; --spread: #9cc1e8; --published: #9a5b13; --good: #2c7a4b; --bad: #b3372f; --open: #6d6a62;
  --sparse: #7d4ba0;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #16171a; --card: #1e2024; --ink: #e9e7e1; --soft: #a9a69d; --faint: #3d4047; --rule: #2b2e33;
    --measured: #82b8f2; --spread: #3c6ea5; --published: #e2ab66; --good: #75c796; --bad: #f08a80; --open: #a9a69d;
    --sparse: #c49be6;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
main { max-width: 1160px; margin: 0 auto; padding: 48px 24px 72px; }
h1 { font-size: clamp(1.5rem, 3.4vw, 2.1rem); line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 8px; font-weight: 650; text-wrap: balance; }
h2 { font-size: 1.1rem; margin: 0 0 14px; font-weight: 650; }
section { margin-top: 44px; }
p { margin: 0; }
a { color: inherit; text-decoration-color: var(--faint); text-underline-offset: 3px; }
.eyebrow { color: var(--soft); font-size: 0.85rem; margin-bottom: 6px; }
.source { color: var(--soft); max-width: 72ch; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 24px; margin: 18px 0 14px; font-size: 0.875rem; }
.key::before, .published::before, .beside::before { content: ""; display: inline-block; width: 7px; height: 7px; margin-right: 7px; vertical-align: 1px; }
.scale { color: var(--soft); }
.key.measured { color: var(--measured); }
.key.measured::before { background: var(--measured); border-radius: 50%; }
.key.published { color: var(--published); }
.published::before, .beside::before { border: 1.5px solid var(--published); transform: rotate(45deg); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; font-weight: 400; }
.results thead th { font-size: 0.85rem; font-weight: 600; padding: 12px 12px 10px; border-bottom: 1px solid var(--faint); white-space: nowrap; }
.results sup { font-weight: 400; font-size: 0.7rem; margin-left: 3px; line-height: 0; }
.axis { display: flex !important; justify-content: space-between; width: 94px; color: var(--soft); font-weight: 400; font-size: 0.7rem; line-height: 1.2; margin-top: 4px; }
.results sup a { color: var(--soft); text-decoration: none; }
.results tbody tr + tr > * { border-top: 1px solid var(--rule); }
.results tbody th, .results td { padding: 14px 12px; }
.results tbody th { min-width: 168px; }
.results tr > :first-child { padding-left: 18px; }
.results span { display: block; }
.network { font-weight: 650; }
.method { font-size: 0.9rem; }
.size, .beside { font-size: 0.78rem; color: var(--soft); margin-top: 3px; line-height: 1.35; }
.beside { color: var(--published); }
.value { font-size: 1.12rem; font-weight: 600; line-height: 1.3; color: var(--measured); white-space: nowrap; }
.interval, .partial { font-size: 0.78rem; color: var(--soft); white-space: nowrap; line-height: 1.35; }
.missing { color: var(--soft); font-style: italic; }
.below { font-size: 0.8rem; white-space: nowrap; line-height: 1.35; }
.below .published { color: var(--published); }
.below .difference { color: var(--soft); }
.absent th { color: var(--soft); }
svg { display: block; }
.whisker { margin: 4px 0 3px -5px; }
.track { stroke: var(--faint); stroke-width: 1; }
.fill { stroke: var(--measured); stroke-width: 3; opacity: 0.45; }
.spread { stroke: var(--spread); stroke-width: 6; stroke-linecap: round; }
.dot { fill: var(--measured); }
.diamond { fill: none; stroke: var(--published); stroke-width: 1.4; }
.conditions { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 14px 28px; margin: 0; }
p.conditions { margin-top: 16px; color: var(--soft); }
.conditions dt { font-size: 0.78rem; color: var(--soft); }
.conditions dd { margin: 0; font-size: 0.92rem; }
ul { margin: 0; padding-left: 1.2em; font-size: 0.92rem; }
.verdicts { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 14px; }
.verdict { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 16px 15px; --tone: var(--open); }
.verdict.holds { --tone: var(--good); }
.verdict.does-not-hold { --tone: var(--bad); }
.outcome { color: var(--tone); font-weight: 650; font-size: 0.85rem; margin-bottom: 4px; }
.mark { display: inline-grid; place-items: center; width: 1.45em; height: 1.45em; border-radius: 50%; border: 1.5px solid currentColor; margin-right: 0.5em; font-size: 0.8em; }
.claim { font-weight: 600; line-height: 1.4; margin-bottom: 6px; }
.evidence { font-size: 0.88rem; margin-bottom: 6px; }
.test { font-size: 0.78rem; color: var(--soft); line-height: 1.4; }
.unjudged { color: var(--soft); font-size: 0.88rem; margin-top: 14px; }
.unjudged summary { cursor: pointer; }
.unjudged ul { margin-top: 8px; }
.caption { color: var(--soft); font-size: 0.88rem; margin: -8px 0 14px; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 14px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 12px 8px; max-width: 420px; }
figcaption { font-size: 0.92rem; margin: 0 0 10px 6px; }
.curves { width: 100%; max-width: 330px; height: auto; font-size: 11.5px; }
.curves text { fill: var(--soft); }
.curves .title { fill: var(--ink); }
.curves .last { fill: var(--ink); font-weight: 600; }
.rule { stroke: var(--rule); stroke-width: 1; }
.curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; stroke: var(--measured); }
.curve.loss { stroke: var(--soft); }
.curve.inputChannels { stroke: var(--sparse); }
.end { fill: var(--measured); }
.end.loss { fill: var(--soft); }
.end.inputChannels { fill: var(--sparse); }
.bar { fill: var(--sparse); }
.threshold { stroke: var(--bad); stroke-width: 1.2; stroke-dasharray: 3 3; }
.notes { margin: 0; max-width: 84ch; font-size: 0.9rem; }
.notes div { display: grid; grid-template-columns: 1.6em 1fr; margin-bottom: 8px; scroll-margin-top: 20px; }
.notes div:target { background: var(--card); outline: 6px solid var(--card); border-radius: 2px; }
.notes dt { color: var(--soft); font-weight: 600; }
.notes dd { margin: 0; }
pre { margin: 0 0 14px; padding: 12px 16px; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; overflow-x: auto; }
code { font: 0.875rem/1.5 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace; }
.runs { font-size: 0.82rem; }
.runs th { color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--faint); }
.runs th, .runs td { padding: 8px 12px; white-space: nowrap; }
.runs tr + tr td { border-top: 1px solid var(--rule); }
@media (max-width: 940px) {
  .results thead { display: none; }
  .results, .results tbody, .results tr, .results tbody th { display: block; }
  .results tr { padding: 14px 16px 16px; display: grid; grid-template-columns: repeat(6, 1fr); gap: 14px 12px; }
  .results tbody tr + tr { border-top: 1px solid var(--faint); }
  .results tbody tr + tr > * { border-top: 0; }
  .results tbody th { grid-column: 1 / -1; }
  .results tbody th, .results td, .results tr > :first-child { padding: 0; }
  .results td::before { content: attr(data-label) "  " attr(data-notes); white-space: pre-wrap; display: block; font-size: 0.78rem; color: var(--soft); }
}
@media (max-width: 780px) {
  .results tr { grid-template-columns: repeat(3, 1fr); }
}
@media (max-width: 520px) {
  .results tr { grid-template-columns: repeat(2, 1fr); }
  main { padding: 28px 14px 56px; }
  section { margin-top: 34px; }
  .verdicts, .figures { grid-template-columns: 1fr; }
}
@media print {
  body { background: none; }
  .scroll, figure, .verdict { break-inside: avoid; }
}
`
