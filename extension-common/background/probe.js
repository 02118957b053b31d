// SPDX-License-Identifier: Apache-2.0
// The program asks this browser to open a page of its own, to see whether the whole way holds
// (`dotkey doctor`). Only a request below `.key` is made, and nothing of the browser goes with it.
import { webextension } from '../lib/webextension.js';

const timeoutMs = 10_000;
const textMax = 64;

/** → the body of `probed`. */
export async function probe({ requestId, url }) {
  const outcome = { request_id: requestId };
  outcome.permitted = await webextension.permissions.contains({ origins: ['*://*.key/*'] });
  try {
    const response = await fetch(url, { cache: 'no-store', credentials: 'omit',
      redirect: 'error', referrerPolicy: 'no-referrer', signal: AbortSignal.timeout(timeoutMs) });
    outcome.status = response.status;
    outcome.text = (await response.text()).slice(0, textMax);
  } catch (error) {
    outcome.error = String(error).slice(0, 200);
  }
  return outcome;
}
