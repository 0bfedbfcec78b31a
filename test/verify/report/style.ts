/** The page is self-contained, because it is mailed around and opened years later. */
export const style = `
:root {
  --ink: #1c2430; --quiet: #5d6878; --line: #dfe4ea; --paper: #ffffff; --panel: #f6f8fa;
  --ok: #3f9b62; --ok-fill: #a8d5b7; --refused: #d6a12f; --failed: #c8372d; --p50: #2f6fb5; --p99: #6f3fa0;
  --fault: rgba(200, 80, 60, 0.12);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e3e8ef; --quiet: #97a3b3; --line: #323b47; --paper: #14181e; --panel: #1b2129;
    --ok: #62c088; --ok-fill: #2d5c40; --refused: #e0b04a; --failed: #ef6a5f; --p50: #6ba6e8; --p99: #b58ae0;
    --fault: rgba(239, 106, 95, 0.16);
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 32px 20px 80px; max-width: 1080px; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 0; }
h3 { font-size: 14px; margin: 20px 0 4px; font-weight: 600; }
p { margin: 6px 0; }
.quiet, .note { color: var(--quiet); }
.verdict { display: inline-block; padding: 4px 12px; border-radius: 14px; font-weight: 600; color: #fff; margin: 12px 0; }
.verdict.held { background: #2f7d4f; }
.verdict.broken { background: #b3261e; }
table { border-collapse: collapse; width: 100%; margin: 10px 0; }
td, th { text-align: left; vertical-align: top; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--quiet); font-size: 13px; }
td.mark { width: 22px; font-weight: 700; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.held-mark { color: var(--ok); }
.broken-mark { color: var(--failed); }
a { color: inherit; }
td a { white-space: nowrap; }
section { border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin: 26px 0; }
section > header { display: flex; gap: 12px; align-items: baseline; flex-wrap: wrap; }
section > header .time { margin-left: auto; color: var(--quiet); }
.promise { font-size: 16px; margin: 6px 0 10px; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 8px 18px; margin: 12px 0; }
dl div { background: var(--panel); border-radius: 6px; padding: 6px 10px; }
dt { color: var(--quiet); font-size: 12.5px; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
pre { background: var(--panel); padding: 10px; border-radius: 6px; overflow-x: auto; font-size: 12.5px; white-space: pre-wrap; }
details { margin: 10px 0; }
summary { cursor: pointer; color: var(--quiet); }
svg { width: 100%; height: auto; display: block; }
svg text { font: 10.5px system-ui, sans-serif; fill: var(--quiet); }
.grid { stroke: var(--line); stroke-width: 1; }
.fault { fill: var(--fault); }
svg .fault-label { fill: var(--failed); font-weight: 600; }
polygon.ok { fill: var(--ok-fill); stroke: var(--ok); stroke-width: 0.6; }
polygon.refused { fill: var(--refused); }
polygon.failed { fill: var(--failed); }
path.p50, path.p99, path.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
path.p50 { stroke: var(--p50); }
path.p99 { stroke: var(--p99); }
.legend { display: flex; gap: 18px; flex-wrap: wrap; color: var(--quiet); font-size: 12.5px; margin: 2px 0 4px; }
.legend i { display: inline-block; width: 12px; height: 10px; border-radius: 2px; margin-right: 5px; }
.legend .line { height: 3px; vertical-align: middle; }
`;
