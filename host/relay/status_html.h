// SPDX-License-Identifier: Apache-2.0
// The relay's page for people: one file, no resource from anywhere else.
#pragma once

#include <string_view>

namespace dotkey::host::relay {

// clang-format off
inline constexpr std::string_view status_html = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>dotkey relay</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='%232f6f5e'/%3E%3Ccircle cx='8' cy='8' r='2.6' fill='white'/%3E%3C/svg%3E">
<style>
:root { --ground:#f6f5f1; --card:#fff; --ink:#1d2321; --soft:#5d6864; --line:#e2e0d8; --accent:#2f6f5e; --wash:#2f6f5e1f; --bad:#a63d2f }
@media (prefers-color-scheme:dark) { :root { --ground:#141817; --card:#1c2220; --ink:#e8ebe8; --soft:#98a49f; --line:#2c3431; --accent:#7cc4ad; --wash:#7cc4ad26; --bad:#e58b7b } }
* { box-sizing:border-box }
body { margin:0; background:var(--ground); color:var(--ink); font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif; -webkit-font-smoothing:antialiased }
main { max-width:56rem; margin:0 auto; padding:3rem 1.25rem 4rem }
header { display:flex; flex-wrap:wrap; align-items:baseline; gap:.25rem 1rem; margin-bottom:1.75rem }
h1 { font-size:1.6rem; font-weight:650; letter-spacing:-.015em; margin:0 }
#state { display:inline-flex; align-items:center; gap:.5rem; color:var(--soft); font-size:.95rem }
#state::before { content:""; width:.6rem; height:.6rem; border-radius:50%; background:var(--accent) }
#state.bad::before { background:var(--bad) }
p.lead { flex-basis:100%; margin:.35rem 0 0; max-width:42rem; color:var(--soft) }
.cards { display:grid; grid-template-columns:repeat(auto-fit,minmax(9rem,1fr)); gap:1rem }
.card { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:1.1rem 1.25rem }
.card h2 { margin:0; font-size:.85rem; font-weight:500; color:var(--soft) }
.card b { display:block; margin:.15rem 0 .1rem; font-size:1.75rem; font-weight:600; line-height:1.2; letter-spacing:-.02em; font-variant-numeric:tabular-nums }
.card small { color:var(--soft); font-size:.85rem }
.chart { margin-top:1rem; padding-bottom:.9rem }
.chart .top { display:flex; justify-content:space-between; align-items:baseline; gap:1rem }
.chart output { color:var(--soft); font-size:.85rem; font-variant-numeric:tabular-nums }
svg { display:block; width:100%; height:9rem; overflow:visible }
.plot { position:relative; margin-top:.75rem }
.plot span { position:absolute; left:0; top:-.55rem; padding-right:.4rem; background:var(--card); color:var(--soft); font-size:.78rem; line-height:1.1rem; font-variant-numeric:tabular-nums }
.axis { display:flex; justify-content:space-between; color:var(--soft); font-size:.78rem; margin-top:.35rem }
section.how { margin-top:2.25rem }
section.how h2 { font-size:1.05rem; margin:0 0 .6rem }
pre { margin:0; padding:.9rem 1.1rem; white-space:pre-wrap; overflow-wrap:anywhere; background:var(--card); border:1px solid var(--line); border-radius:12px; font:.86rem/1.65 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace }
pre i { color:var(--soft); font-style:normal }
footer { margin-top:2.25rem; color:var(--soft); font-size:.85rem; display:flex; flex-wrap:wrap; gap:.3rem 1.2rem }
a { color:var(--accent); text-underline-offset:.18em }
a:focus-visible { outline:2px solid var(--accent); outline-offset:2px; border-radius:3px }
</style>
<main>
<header>
  <h1>dotkey relay</h1><span id="state" role="status">starting</span>
  <p class="lead">Public keys as web addresses: this server fetches signed records from the Mainline DHT, and stores them there, for programs that speak only HTTP. It cannot forge a record: whoever asks checks the signature.</p>
</header>
<noscript><p>The figures need JavaScript; <a href="/stats.json">/stats.json</a> has them as well.</p></noscript>
<div class="cards">
  <div class="card"><h2>Network</h2><b id="size">–</b><small id="size-note">DHT nodes, estimated</small></div>
  <div class="card"><h2>Records kept</h2><b id="kept">–</b><small id="kept-note">on disk</small></div>
  <div class="card"><h2>Requests</h2><b id="total">–</b><small id="total-note">since the start</small></div>
  <div class="card"><h2>From cache</h2><b id="share">–</b><small id="share-note">of all lookups</small></div>
</div>
<div class="card chart">
  <div class="top"><h2>Requests a second</h2><output id="now"></output></div>
  <div class="plot"><svg viewBox="0 0 600 144" preserveAspectRatio="none" role="img" aria-label="Requests a second over the last two minutes">
    <line x1="0" x2="600" y1=".5" y2=".5" stroke="var(--line)" stroke-dasharray="3 5" vector-effect="non-scaling-stroke"/>
    <path id="area" fill="var(--wash)"/><path id="curve" fill="none" stroke="var(--accent)" stroke-width="2" stroke-linejoin="round" vector-effect="non-scaling-stroke"/>
    <line x1="0" x2="600" y1="143.5" y2="143.5" stroke="var(--line)" vector-effect="non-scaling-stroke"/>
  </svg><span id="top"></span></div>
  <div class="axis"><span>2 minutes ago</span><span>now</span></div>
</div>
<section class="how">
  <h2>Use it</h2>
  <pre><i># what a key publishes</i>
dotkey resolve KEY --relay <span class="here"></span>
<i># or by hand: the signed record, as bytes</i>
curl <span class="here"></span>/KEY</pre>
</section>
<footer><span id="version"></span><span id="uptime"></span><a href="/metrics">metrics</a><a href="/stats.json">stats</a><a href="/health">health</a></footer>
</main>
<script>
const $ = id => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const short = n => n < 10000 ? number.format(Math.round(n)) : new Intl.NumberFormat("en", {notation:"compact", maximumFractionDigits:1}).format(n);
const bytes = n => n < 1048576 ? Math.round(n / 1024) + " KiB" : (n / 1048576).toFixed(n < 10485760 ? 1 : 0) + " MiB";
const span = s => { const d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60; return d ? d + " d " + h + " h" : h ? h + " h " + m + " min" : m ? m + " min" : s + " s" };
for (const e of document.querySelectorAll(".here")) e.textContent = location.origin;
// The scale ends at a round number above the highest point.
function ceiling(value) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(value, 5)));
  return [1, 2, 5, 10].map(n => n * unit).find(n => n >= value) ?? value;
}
// Before the start there was nothing to count: the curve begins with the relay.
function draw(points, uptime) {
  const top = ceiling(Math.max(5, ...points)), step = 600 / (points.length - 1);
  const first = Math.max(0, points.length - 1 - uptime), shown = points.slice(first);
  const line = shown.map((v, i) => (i ? "L" : "M") + ((first + i) * step).toFixed(1) + " " + (143 - v / top * 143).toFixed(1)).join("");
  $("curve").setAttribute("d", line);
  $("area").setAttribute("d", line + "L600 144L" + (first * step).toFixed(1) + " 144Z");
  $("top").textContent = short(top);
  $("now").textContent = short(points.at(-1)) + " now, " + short(Math.max(...points)) + " at most";
}
function show(s) {
  const dht = s.dht, r = s.requests;
  const lost = dht.enabled && !dht.nodes;
  $("state").className = lost ? "bad" : "";
  $("state").textContent = !dht.enabled ? "running, without the DHT" : lost ? "looking for DHT nodes" : "running";
  $("size").textContent = dht.size ? "≈ " + short(dht.size) : dht.enabled ? number.format(dht.nodes) : "off";
  $("size-note").textContent = dht.size ? "DHT nodes, " + number.format(dht.nodes) + " known here" : dht.enabled ? "DHT nodes known here" : "the DHT is switched off";
  $("kept").textContent = short(s.store.packets);
  $("kept-note").textContent = short(s.cache.packets) + " in memory, " + bytes(s.cache.bytes);
  $("total").textContent = short(r.total);
  $("total-note").textContent = short(r.gets) + " lookups, " + short(r.puts) + " published";
  $("share").textContent = r.gets ? Math.floor(100 * r.from_cache / r.gets) + " %" : "–";
  $("share-note").textContent = "of " + short(r.gets) + " lookups";
  $("version").textContent = "dotkey " + s.version;
  $("uptime").textContent = "up " + span(s.uptime_s);
  draw(r.per_second, s.uptime_s);
}
async function poll() {
  try {
    const answer = await fetch("/stats.json", {cache:"no-store"});
    if (!answer.ok) throw new Error("status " + answer.status);
    const s = await answer.json();
    if (s.dht) show(s);
  } catch { $("state").className = "bad"; $("state").textContent = "the relay does not answer" }
  setTimeout(poll, document.hidden ? 10000 : 1000);
}
poll();
</script>
)html";
// clang-format on

}  // namespace dotkey::host::relay
