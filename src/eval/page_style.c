/* The page's style sheet: one column, system fonts, light and dark, a colour-blind-safe palette (after Okabe and Ito
 * 2008), and something sensible on paper. */
#include "eval/page.h"

const char *const page_style[] = {
    ":root{color-scheme:light dark;--bg:#fcfcfb;--card:#fff;--ink:#1b1c1e;--soft:#5b6066;"
    "--line:#e2e4e6;--faint:#eff0f1;--accent:#1b1c1e;--band:#1b1c1e1c;--two:#b3266b;--warn:#8a4b00;"
    "--warnbg:#fff4e0;--s0:#0072b2;--s1:#e69f00;--s2:#009e73;--s3:#cc79a7;--s4:#d55e00;--s5:#"
    "56b4e9;"
    "--s6:#b7a800;--s7:#a3a8ad}\n",
    "@media "
    "(prefers-color-scheme:dark){:root{--bg:#131416;--card:#1a1c1f;--ink:#eceef0;--soft:#a2a9b0;"
    "--line:#33373c;--faint:#24272b;--accent:#fff;--band:#ffffff26;--two:#ff7ab8;--warn:#ffd08a;"
    "--warnbg:#35270f;--s0:#3a93d0;--s1:#eaa91a;--s2:#18a97f;--s3:#d48ab3;--s4:#e26b1c;--s5:#"
    "7cc6f0;"
    "--s6:#d3c437;--s7:#7d838a}}\n",
    "*{box-sizing:border-box}\n",
    "body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"
    "\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,sans-serif;font-variant-numeric:tabular-nums;"
    "-webkit-text-size-adjust:100%}\n",
    "main{max-width:1180px;margin:0 auto;padding:40px 24px 64px}\n",
    "h1{font-size:clamp(1.45rem,3.6vw,2.15rem);line-height:1.25;letter-spacing:-.015em;font-weight:"
    "650;"
    "margin:0 0 .5em;text-wrap:balance;overflow-wrap:anywhere}\n",
    "h1 em{font-style:normal;color:var(--s0)}\n",
    "h2{font-size:1.25rem;line-height:1.3;margin:0 0 .3em;letter-spacing:-.01em}\n",
    "h3{font-size:1rem;margin:1.6em 0 .4em}\n",
    "section{margin-top:52px}\n",
    "p{margin:0 0 "
    ".8em}.lede{font-size:1.08rem;max-width:62em;overflow-wrap:anywhere}.facts,.how,footer{color:"
    "var(--soft)}"
    ".facts{font-size:.9rem;overflow-wrap:anywhere}.facts b{color:var(--ink);font-weight:600}"
    ".how{max-width:62em}footer{margin-top:60px;border-top:1px solid var(--line);padding-top:20px;"
    "font-size:.9rem}footer h2{font-size:1rem}\n",
    ".warn{background:var(--warnbg);color:var(--warn);border-radius:8px;padding:10px "
    "14px;margin-top:20px}\n",
    ".scroll{position:relative;overflow-x:auto;margin:0 -4px 18px;padding:0 "
    "4px}.n{min-width:2.1em;padding-left:3px;padding-right:5px;font-size:.84rem}th.n "
    ".sw{margin:0}.vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}."
    "name{white-space:nowrap}\n",
    "table{border-collapse:collapse;width:100%;font-size:.92rem}\n",
    "caption{text-align:left;color:var(--soft);padding:0 0 6px;font-size:.9rem}\n",
    "th,td{padding:7px 8px;text-align:right;border-bottom:1px solid "
    "var(--line);white-space:nowrap;"
    "vertical-align:baseline}\n",
    "thead th{font-weight:600;color:var(--soft);font-size:.82rem;vertical-align:bottom;"
    "border-bottom-color:var(--soft)}\n",
    "th:first-child,td:first-child,.l{text-align:left}tbody th{font-weight:500}\n",
    ".wrap{white-space:normal;overflow-wrap:break-word;min-width:11em}\n",
    "tr.hi>*{background:var(--faint);font-weight:650}\n",
    ".se{color:var(--soft);font-weight:400;font-size:.88em}.soft{color:var(--soft)}\n",
    ".good{color:var(--s2)}.verdict{font-weight:600}\n",
    "pre{background:var(--faint);border-radius:8px;padding:14px "
    "16px;overflow-x:auto;font:.88rem/1.5 "
    "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;margin:.6em 0 1em}\n",
    "code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.92em}\n",
    "figure{margin:12px 0 0;background:var(--card);border:1px solid var(--line);border-radius:10px;"
    "padding:14px}\n",
    "svg{display:block;width:100%;height:auto}.narrow{display:none}\n",
    "svg text{font:12px system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica "
    "Neue\",Arial,sans-serif;"
    "fill:var(--ink)}svg .tick,svg .axt{fill:var(--soft)}svg "
    ".lab{paint-order:stroke;stroke:var(--card);"
    "stroke-width:3px;stroke-linejoin:round}svg .strong{font-weight:650}\n",
    "svg "
    ".inband{fill:#111;paint-order:stroke;stroke:#ffffff99;stroke-width:3px;stroke-linejoin:round;"
    "font-weight:600}\n",
    ".grid{stroke:var(--line);fill:none}.minor{stroke:var(--faint);fill:none}.axis{stroke:var(--"
    "soft);"
    "fill:none}.lead{stroke:var(--soft);stroke-width:.8;fill:none}\n",
    ".curve{stroke:var(--accent);stroke-width:2.6;fill:none;stroke-linejoin:round;stroke-linecap:"
    "round}"
    ".band{fill:var(--band);stroke:none}.two{stroke:var(--two);stroke-width:2.4;fill:none;"
    "stroke-dasharray:7 4;stroke-linejoin:round}.mix{stroke:var(--soft);stroke-width:1.5;fill:none;"
    "stroke-dasharray:2 4;stroke-linecap:round}.mark{stroke:var(--card);stroke-width:1.4}"
    ".hollow{fill:var(--card)!important;stroke:var(--soft);stroke-width:1.8}.ring{fill:none;"
    "stroke:var(--ink);stroke-width:1.6}.inkfill{fill:var(--ink)}.sep{stroke:var(--card);stroke-"
    "width:1}\n",
    ".b0{fill:var(--s0);background:var(--s0)}.b1{fill:var(--s1);background:var(--s1)}"
    ".b2{fill:var(--s2);background:var(--s2)}.b3{fill:var(--s3);background:var(--s3)}"
    ".b4{fill:var(--s4);background:var(--s4)}.b5{fill:var(--s5);background:var(--s5)}"
    ".b6{fill:var(--s6);background:var(--s6)}.b7{fill:var(--s7);background:var(--s7)}\n",
    ".legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:10px 2px 0;padding:0;list-style:none;"
    "font-size:.86rem;color:var(--soft)}.legend svg{display:inline-block;width:26px;height:14px;"
    "vertical-align:-2px;margin-right:6px}.key{overflow-wrap:break-word}\n",
    ".sw{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:7px}\n",
    ".bar{display:flex;width:100px;height:12px;border-radius:3px;overflow:hidden}.bar "
    "i{height:100%}\n",
    ".cals{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:14px;"
    "margin-top:14px}.cals figure{margin:0;padding:10px}.cals figcaption{font-size:.86rem;"
    "margin-bottom:4px}.cals "
    "b{display:block;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}.diag{stroke:var(--"
    "soft);stroke-dasharray:3 "
    "3;fill:none}"
    ".whisk{stroke:var(--s0);stroke-width:1.4;fill:none}.hist{fill:var(--s7);opacity:.45}\n",
    "details{margin-top:12px}summary{cursor:pointer;color:var(--soft)}\n",
    "@media (max-width:640px){th,td{padding:6px 5px}table{font-size:.84rem}tbody "
    "th{white-space:normal;"
    "min-width:6.5em}.wrap{min-width:8.5em}thead "
    "th{font-size:.76rem}.name{white-space:normal;overflow-wrap:anywhere}main{padding:24px "
    "14px "
    "48px}.wide{display:none}svg.narrow{display:block}"
    "figure{padding:10px 6px}section{margin-top:40px}.cals{grid-template-columns:repeat(auto-fill,"
    "minmax(160px,1fr));gap:10px}}\n",
    "@media print{:root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#ccc;--faint:#f2f2f2;"
    "--accent:#000;--band:#0000001c}html,body{font-size:10px}th,td{padding:4px "
    "5px}.bar{width:70px}main{max-width:none;padding:0}"
    "section{break-inside:avoid-page;margin-top:26px}#domains,#calibration,#experts{break-inside:"
    "auto}"
    "tr,figure{break-inside:avoid}.scroll{overflow:visible}*{print-color-adjust:exact;"
    "-webkit-print-color-adjust:exact}}\n",
    NULL,
};
