// SPDX-License-Identifier: Apache-2.0
// Evidence in, verdict out. The core decides; here its answer becomes what is kept and shown.
import { sha256Hex } from '../lib/bytes.js';

function siteFrom(evidence, finding) {
  const packet = finding.packets?.find(({ key }) => key === finding.key) ?? null;
  return {
    host: evidence.host,
    port: evidence.port,
    detail: finding.detail ?? '',
    key: finding.key ?? null,
    timestampUs: packet?.timestamp_us ?? null,
    source: evidence.source,
    ageS: evidence.ageS,
    endpoint: { ...evidence.route, key: finding.endpoint?.key ?? null },
    pins: finding.pins?.records ?? [],
    pinIndex: finding.record_index ?? null,
    certificate: finding.certificate ?? null,
    confirmed: false,
  };
}

/** → {allow, slug, site}. `nowMs` is the browser's clock, never the program's. */
export async function judge(core, evidence, nowMs) {
  const { host, port, route, packets, chain } = evidence;
  const now_s = Math.floor(nowMs / 1000);
  const finding = core.decide({ host, port, route, packets, chain, now_s });
  // Nothing but the core's explicit word allows.
  const allow = finding.error === undefined && finding.allowed === true;
  const slug = finding.error ?? finding.verdict;
  const leafSha256 = chain.length > 0 ? await sha256Hex(chain[0]) : null;
  const site = { ...siteFrom(evidence, finding), allowed: allow, slug, leafSha256,
    checkedMs: nowMs };
  return { allow, slug, site };
}
