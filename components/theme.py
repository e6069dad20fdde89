"""The look: colours with meaning, one type scale, both schemes; everything else leans on it."""

from __future__ import annotations

from nicegui import ui

# One glyph per status, so that colour never stands alone.
GLYPHS = {
    "pending": "○",
    "processing": "◐",
    "completed": "●",
    "failed": "✕",
    "cancelled": "–",
}

CSS = """
:root, .body--light {
  --page:#f6f7f9; --surface:#ffffff; --raised:#fbfcfd; --line:#e5e8ed; --line-strong:#d3d8e0;
  --ink:#11151c; --ink-2:#485264; --ink-3:#667085; --accent:#11151c; --on-accent:#ffffff;
  --brand:#f2a900; --focus:#2f6fed; --flash:#fff4d6;
  --pending:#9a5b00; --pending-bg:#fdf3e0; --processing:#1d5bd6; --processing-bg:#e8f0fe;
  --completed:#067647; --completed-bg:#e5f6ee; --failed:#b42318; --failed-bg:#fdecea;
  --cancelled:#566072; --cancelled-bg:#eef0f3;
  --shadow:0 1px 2px rgba(16,21,28,.04);
}
.body--dark {
  --page:#0c0f14; --surface:#12161d; --raised:#161b23; --line:#222935; --line-strong:#313a49;
  --ink:#eef1f6; --ink-2:#b3bccb; --ink-3:#8792a5; --accent:#eef1f6; --on-accent:#0c0f14;
  --brand:#ffc02e; --focus:#7aa5ff; --flash:#2c2615;
  --pending:#f0b354; --pending-bg:#2a2114; --processing:#83abff; --processing-bg:#152239;
  --completed:#4fd39a; --completed-bg:#0f2a20; --failed:#ff8b80; --failed-bg:#331715;
  --cancelled:#9aa5b6; --cancelled-bg:#1d232d;
  --shadow:none;
}
body { background:var(--page); color:var(--ink);
  font-family:Inter,"SF Pro Text",-apple-system,BlinkMacSystemFont,"Segoe UI",Roboto,sans-serif;
  font-size:14px; line-height:20px; -webkit-font-smoothing:antialiased; }
.nicegui-content { padding:0; }
.fp-frame { width:100%; min-height:100vh; display:block; }
.fp-top { position:sticky; top:0; z-index:20; background:var(--page);
  border-bottom:1px solid var(--line); }
.fp-bar { max-width:1440px; margin:0 auto; padding:0 24px; height:56px; display:flex;
  align-items:center; gap:12px; }
.fp-main { max-width:1440px; margin:0 auto; padding:24px; display:flex; flex-direction:column;
  gap:16px; }
.fp-mark { width:26px; height:26px; border-radius:8px; background:var(--brand); display:grid;
  place-items:center; color:#11151c; font-weight:800; font-size:15px; line-height:1; }
.fp-brand { font-weight:650; letter-spacing:-.01em; white-space:nowrap; }
.fp-store { color:var(--ink-3); white-space:nowrap; overflow:hidden; text-overflow:ellipsis; }
.fp-store::before { content:"/"; margin-right:12px; color:var(--line-strong); }
.fp-gap { flex:1; }
.fp-chip { display:inline-flex; align-items:center; gap:6px; height:24px; padding:0 10px;
  border-radius:999px; font-size:12px; font-weight:550; white-space:nowrap;
  border:1px solid var(--line); background:var(--surface); color:var(--ink-2); }
.fp-chip.sandbox { border-color:transparent; background:var(--pending-bg); color:var(--pending);
  letter-spacing:.04em; }
.fp-dot { width:7px; height:7px; border-radius:50%; background:currentColor; }
.fp-chip.live { color:var(--completed); }
.fp-chip.live .fp-dot { animation:fp-breathe 2.4s ease-in-out infinite; }
.fp-chip.catching-up { color:var(--processing); }
.fp-chip.cut-off { color:var(--failed); background:var(--failed-bg); border-color:transparent; }
@keyframes fp-breathe { 50% { opacity:.35; } }
.fp-button { all:unset; box-sizing:border-box; cursor:pointer; display:inline-flex; gap:6px;
  align-items:center; height:32px; padding:0 12px; border-radius:8px; font-size:13px;
  font-weight:550; border:1px solid var(--line-strong); background:var(--surface);
  color:var(--ink); white-space:nowrap; }
.fp-button:hover { background:var(--raised); border-color:var(--ink-3); }
.fp-button:focus-visible, a:focus-visible { outline:2px solid var(--focus); outline-offset:2px; }
.fp-button.stop { color:var(--failed); }
.fp-button.stopped { background:var(--failed); color:#fff; border-color:transparent; }
.body--dark .fp-button.stopped { color:#2a0b08; }
.fp-button.quiet { border-color:transparent; background:transparent; color:var(--ink-2);
  padding:0 8px; font-size:16px; }
.fp-title { font-size:20px; line-height:28px; font-weight:650; letter-spacing:-.015em; margin:0; }
.fp-sub { color:var(--ink-3); margin:0; }
.fp-cards { display:grid; grid-template-columns:repeat(6,minmax(0,1fr)); gap:12px; }
.fp-card { background:var(--surface); border:1px solid var(--line); border-radius:12px;
  box-shadow:var(--shadow); padding:14px 16px; display:flex; flex-direction:column; gap:2px; }
.fp-card .name { display:flex; align-items:center; gap:6px; font-size:12.5px; font-weight:550;
  color:var(--ink-2); }
.fp-card .glyph { font-size:11px; width:12px; text-align:center; }
.fp-card .count { font-size:26px; line-height:34px; font-weight:650; letter-spacing:-.025em;
  font-variant-numeric:tabular-nums; }
.fp-card .amount { font-size:12.5px; color:var(--ink-3); font-variant-numeric:tabular-nums; }
.is-pending { color:var(--pending); } .is-processing { color:var(--processing); }
.is-completed { color:var(--completed); } .is-failed { color:var(--failed); }
.is-cancelled { color:var(--cancelled); }
.fp-panel { background:var(--surface); border:1px solid var(--line); border-radius:12px;
  box-shadow:var(--shadow); overflow:hidden; width:100%; }
.fp-panel-head { display:flex; align-items:center; gap:12px; padding:14px 16px;
  border-bottom:1px solid var(--line); font-weight:600; }
.fp-panel-foot { padding:10px 16px; border-top:1px solid var(--line); color:var(--ink-3);
  font-size:12.5px; } .fp-h2 { font-size:14px; line-height:20px; font-weight:600; margin:0; }
.fp-panel-head { padding:10px 12px 10px 16px; }
.fp-wallet { color:var(--ink-2); font-size:13px; white-space:nowrap; }
.fp-charts { display:grid; grid-template-columns:minmax(0,2fr) minmax(0,1fr); gap:12px; }
.fp-filters { display:flex; flex-wrap:wrap; gap:8px; align-items:center; }
.fp-control { font:inherit; font-size:13px; height:32px; padding:0 10px; border-radius:8px;
  border:1px solid var(--line-strong); background:var(--surface); color:var(--ink); min-width:0;
  color-scheme:light; }
.body--dark .fp-control { color-scheme:dark; }
.fp-control:focus-visible { outline:2px solid var(--focus); outline-offset:1px; }
.fp-control::placeholder { color:var(--ink-3); opacity:1; }
.fp-control[type=search] { flex:1; min-width:180px; } .fp-control[type=text] { width:170px; }
.fp-segments { display:inline-flex; border:1px solid var(--line-strong); border-radius:8px;
  background:var(--surface); overflow:hidden; }
.fp-segments button { all:unset; cursor:pointer; padding:0 11px; height:30px; line-height:30px;
  font-size:13px; font-weight:550; color:var(--ink-2); }
.fp-segments button:hover { color:var(--ink); }
.fp-segments button[aria-pressed=true] { background:var(--accent); color:var(--on-accent); }
.fp-segments button:focus-visible { outline:2px solid var(--focus); outline-offset:-2px; }
.fp-needs { display:flex; flex-wrap:wrap; gap:8px; align-items:center; }
.fp-needs-name { font-weight:600; color:var(--ink-2); font-size:13px; }
.fp-need { all:unset; cursor:pointer; height:26px; line-height:26px; padding:0 11px;
  border-radius:999px; background:var(--pending-bg); color:var(--pending); font-size:12.5px;
  font-weight:600; font-variant-numeric:tabular-nums; }
.fp-need:hover { text-decoration:underline; }
.fp-need:focus-visible { outline:2px solid var(--focus); outline-offset:2px; }
button.fp-card { font:inherit; text-align:left; color:inherit; cursor:pointer; }
button.fp-card:hover { border-color:var(--line-strong); }
button.fp-card:focus-visible { outline:2px solid var(--focus); outline-offset:2px; }
.fp-grid { height:calc(100vh - 300px); min-height:420px; width:100%;
  --ag-font-family:inherit; --ag-font-size:13px; --ag-foreground-color:var(--ink);
  --ag-background-color:var(--surface); --ag-header-background-color:var(--surface);
  --ag-header-text-color:var(--ink-3); --ag-border-color:var(--line);
  --ag-row-hover-color:var(--raised); --ag-odd-row-background-color:var(--surface);
  --ag-wrapper-border:none; --ag-wrapper-border-radius:0; --ag-header-font-weight:550;
  --ag-header-font-size:12px; --ag-value-change-value-highlight-background-color:var(--flash);
  --ag-header-column-resize-handle-color:transparent; }
.fp-grid .num { font-variant-numeric:tabular-nums; }
.fp-grid .strong { font-weight:600; }
.fp-grid .soft { color:var(--ink-3); }
.fp-block { display:grid; grid-template-columns:1fr auto; gap:0 12px; line-height:20px;
  padding:11px 0; }
.fp-block > * { overflow:hidden; text-overflow:ellipsis; white-space:nowrap; }
.fp-block .amount { text-align:right; }
.fp-block > :last-child { text-align:right; font-size:12px; }
.fp-grid .ag-row { cursor:pointer; }
.fp-grid .ag-row.fp-new { animation:fp-arrive 1.6s ease-out; }
@keyframes fp-arrive { from { background:var(--flash); } }
.fp-empty { padding:64px 24px; text-align:center; color:var(--ink-3); }
.fp-notice { display:flex; gap:10px; align-items:center; padding:10px 14px; border-radius:10px;
  background:var(--failed-bg); color:var(--failed); font-weight:550; }
.q-dialog__inner > .fp-modal { max-width:none; }
.fp-modal { pointer-events:auto; width:min(720px,94vw); max-height:88vh; display:flex;
  flex-direction:column;
  background:var(--surface); color:var(--ink); border:1px solid var(--line); border-radius:16px;
  box-shadow:0 24px 64px rgba(8,11,16,.28); overflow:hidden; }
.fp-modal-head { display:flex; justify-content:space-between; align-items:flex-start;
  padding:20px 24px 16px; border-bottom:1px solid var(--line); }
.fp-modal-body { padding:16px 24px 24px; overflow:auto; display:flex; flex-direction:column;
  gap:16px; }
.fp-modal-foot { display:flex; gap:8px; justify-content:flex-end; align-items:center;
  padding:12px 24px; border-top:1px solid var(--line); background:var(--raised); }
.fp-modal-foot .fp-input { flex:1; }
.fp-amount { font-size:24px; line-height:32px; font-weight:650; letter-spacing:-.02em; margin:0;
  font-variant-numeric:tabular-nums; }
.fp-status { display:flex; gap:8px; } .strong { font-weight:600; } .soft { color:var(--ink-3); }
.num { font-variant-numeric:tabular-nums; }
.fp-button.primary { background:var(--accent); color:var(--on-accent); border-color:transparent; }
.fp-advice { background:var(--raised); border:1px solid var(--line); border-radius:10px;
  padding:12px 14px; } .fp-advice p { margin:0; }
.fp-facts { display:grid; grid-template-columns:1fr 1fr; gap:0 24px; }
.fp-fact { display:flex; justify-content:space-between; gap:16px; align-items:center;
  min-height:32px; border-bottom:1px solid var(--line); min-width:0; }
.fp-fact > .soft { white-space:nowrap; }
.fp-fact .value { display:flex; align-items:center; min-width:0; gap:2px; }
.clip { overflow:hidden; text-overflow:ellipsis; white-space:nowrap; min-width:0; }
.fp-copy { all:unset; cursor:pointer; font-size:12px; font-weight:550; color:var(--ink-3);
  padding:2px 6px; border-radius:6px; } .fp-copy:hover { background:var(--line); color:var(--ink); }
.fp-copy:focus-visible { outline:2px solid var(--focus); }
.fp-h3 { font-size:13px; line-height:20px; font-weight:650; margin:0; }
.fp-steps { list-style:none; margin:0; padding:0; }
.fp-step { display:grid; grid-template-columns:20px 1fr auto 118px; gap:0 10px; padding:5px 0;
  align-items:baseline; } .fp-step > :last-child { text-align:right; }
.fp-step .mark { color:var(--ink-3); font-size:10px; text-align:center; }
.fp-step.state .mark { color:var(--completed); } .fp-step .soft { margin-left:8px; }
.fp-details summary { cursor:pointer; font-weight:550; }
.fp-details summary::before { content:"▸"; margin-right:6px; color:var(--ink-3); }
.fp-details[open] summary::before { content:"▾"; }
.fp-quote { background:var(--raised); border-radius:8px; padding:10px 12px; margin:8px 0;
  overflow-wrap:anywhere; }
@media (max-width:640px) { .fp-facts { grid-template-columns:1fr; }
  .fp-step { grid-template-columns:20px 1fr auto; } .fp-step > :last-child { grid-column:2;
  text-align:left; font-size:12px; } .fp-modal { width:100vw; max-height:96vh; } }
@media (max-width:1000px) { .fp-charts { grid-template-columns:1fr; } }
@media (max-width:640px) { .fp-wallet { display:none; } .fp-filters .fp-control { flex:1 1 44%; }
  .fp-control[type=search] { flex-basis:100% !important; } .fp-segments { width:100%; }
  .fp-segments button { flex:1; text-align:center; padding:0; } }
@media (max-width:1100px) { .fp-cards { grid-template-columns:repeat(3,minmax(0,1fr)); } }
@media (max-width:640px) {
  .fp-bar { padding:0 16px; gap:8px; } .fp-main { padding:16px; gap:12px; }
  .fp-cards { grid-template-columns:repeat(2,minmax(0,1fr)); gap:8px; }
  .fp-card { padding:12px; } .fp-card .count { font-size:22px; line-height:28px; }
  .fp-brand { display:none; } .fp-store::before { display:none; }
  .fp-panel-foot { padding:10px 16px; border-top:1px solid var(--line); color:var(--ink-3);
  font-size:12.5px; } .fp-h2 { font-size:14px; line-height:20px; font-weight:600; margin:0; }
.fp-panel-head { padding:10px 12px 10px 16px; }
.fp-wallet { color:var(--ink-2); font-size:13px; white-space:nowrap; }
.fp-charts { display:grid; grid-template-columns:minmax(0,2fr) minmax(0,1fr); gap:12px; }
.fp-filters { display:flex; flex-wrap:wrap; gap:8px; align-items:center; }
.fp-control { font:inherit; font-size:13px; height:32px; padding:0 10px; border-radius:8px;
  border:1px solid var(--line-strong); background:var(--surface); color:var(--ink); min-width:0;
  color-scheme:light; }
.body--dark .fp-control { color-scheme:dark; }
.fp-control:focus-visible { outline:2px solid var(--focus); outline-offset:1px; }
.fp-control::placeholder { color:var(--ink-3); opacity:1; }
.fp-control[type=search] { flex:1; min-width:180px; } .fp-control[type=text] { width:170px; }
.fp-segments { display:inline-flex; border:1px solid var(--line-strong); border-radius:8px;
  background:var(--surface); overflow:hidden; }
.fp-segments button { all:unset; cursor:pointer; padding:0 11px; height:30px; line-height:30px;
  font-size:13px; font-weight:550; color:var(--ink-2); }
.fp-segments button:hover { color:var(--ink); }
.fp-segments button[aria-pressed=true] { background:var(--accent); color:var(--on-accent); }
.fp-segments button:focus-visible { outline:2px solid var(--focus); outline-offset:-2px; }
.fp-needs { display:flex; flex-wrap:wrap; gap:8px; align-items:center; }
.fp-needs-name { font-weight:600; color:var(--ink-2); font-size:13px; }
.fp-need { all:unset; cursor:pointer; height:26px; line-height:26px; padding:0 11px;
  border-radius:999px; background:var(--pending-bg); color:var(--pending); font-size:12.5px;
  font-weight:600; font-variant-numeric:tabular-nums; }
.fp-need:hover { text-decoration:underline; }
.fp-need:focus-visible { outline:2px solid var(--focus); outline-offset:2px; }
button.fp-card { font:inherit; text-align:left; color:inherit; cursor:pointer; }
button.fp-card:hover { border-color:var(--line-strong); }
button.fp-card:focus-visible { outline:2px solid var(--focus); outline-offset:2px; }
.fp-grid { height:70vh; }
}
@media (prefers-reduced-motion:reduce) { *, ::before, ::after { animation:none !important;
  transition:none !important; } }
"""


def install_theme() -> None:
    """Add the style sheet to every page; called once, at start-up."""
    ui.add_css(CSS, shared=True)
