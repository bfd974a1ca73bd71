/** What the page of a checkpoint adds to the look of a table's page. */
export const checkpointStyle = `
.bars { width: 100%; height: auto; font-size: 11.5px; }
.bars text { fill: var(--soft); }
.bars .title { fill: var(--ink); font-weight: 600; }
.bars .tick { font-weight: 400; }
.bar.some { fill: var(--measured); }
.bar.zero { fill: var(--sparse); }
.wide { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 14px; align-items: start; }
.wide figure { max-width: none; }
.wide .whole { grid-column: span 2; }
.stack { display: grid; gap: 14px; }
.weights { display: block; width: 100%; max-width: 500px; height: auto; margin-bottom: 10px; image-rendering: pixelated; border: 1px solid var(--faint); }
.counts td, .counts th, .layers td, .layers th { padding: 8px 12px; font-size: 0.88rem; }
.counts tr + tr > *, .layers tbody tr > * { border-top: 1px solid var(--rule); }
.layers thead th { color: var(--soft); font-weight: 600; font-size: 0.8rem; vertical-align: bottom; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
.counts .note { color: var(--soft); }
.layers .name { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 0.8rem; white-space: nowrap; }
.meter { width: 64px; margin-top: 6px; }
.meter rect.track { fill: var(--rule); stroke: none; }
.meter rect.part { fill: var(--sparse); }
.skip { color: var(--soft); }
.dead { color: var(--bad); font-weight: 650; }
@media (max-width: 760px) {
  .wide .whole { grid-column: auto; overflow-x: auto; }
  .wide .whole .bars { min-width: 560px; }
  .layers thead th { white-space: normal; }
  .counts .note { display: none; }
  .layers .optional { display: none; }
  .counts td, .counts th, .layers td, .layers th { padding: 7px 9px; }
}
`
