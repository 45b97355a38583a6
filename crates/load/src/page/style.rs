//! How the page looks. Colours tell apart for people who do not see red and green, too.

pub const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #fff;
  --card: #f6f8fa; --b0: #0b62a8; --b1: #b84a00; --b2: #00745a; --b3: #8b3a76; --good: #116329;
  --bad: #a40e26; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4af; --line: #363d46;
  --paper: #0d1117; --card: #161b22; --b0: #58a6ff; --b1: #f0883e; --b2: #3fb996; --b3: #d294c4;
  --good: #56d364; --bad: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 16px; }
h1 { font-size: 24px; margin: 0 0 8px; }
h2 { font-size: 18px; margin: 0; }
p { margin: 4px 0; }
ul { margin: 8px 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; }
a { color: var(--b0); }
.machine, .parameters, .hint, footer { color: var(--soft); font-size: 13px; }
.brokers { font-weight: 600; }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 2px;
  margin-right: 6px; }
.hint { display: block; font-weight: 400; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 16px; margin: 16px 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 12px 0;
  font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 6px 16px 6px 0;
  border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 600; }
tbody th { font-weight: 500; }
.better { color: var(--good); font-weight: 600; }
.worse { color: var(--bad); font-weight: 600; }
.failed { color: var(--bad); }
svg { display: block; max-width: 100%; }
.bar { width: 180px; height: 10px; }
.bar line { stroke: var(--ink); stroke-width: 1; }
.curve { width: 100%; height: auto; margin-top: 8px; }
.curve text { fill: var(--soft); font: 11px system-ui; }
.curve .grid { stroke: var(--line); stroke-width: 1; }
.curve polyline { fill: none; stroke-width: 2; }
.swatch.b0 { background: var(--b0); } .swatch.b1 { background: var(--b1); }
.swatch.b2 { background: var(--b2); } .swatch.b3 { background: var(--b3); }
rect.b0 { fill: var(--b0); } rect.b1 { fill: var(--b1); }
rect.b2 { fill: var(--b2); } rect.b3 { fill: var(--b3); }
polyline.b0 { stroke: var(--b0); } polyline.b1 { stroke: var(--b1); }
polyline.b2 { stroke: var(--b2); } polyline.b3 { stroke: var(--b3); }
.curve text.b0 { fill: var(--b0); } .curve text.b1 { fill: var(--b1); }
.curve text.b2 { fill: var(--b2); } .curve text.b3 { fill: var(--b3); }
";
