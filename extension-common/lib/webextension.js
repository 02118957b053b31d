// SPDX-License-Identifier: Apache-2.0
// The browser's API under one name; both return promises.
export const webextension = globalThis.browser ?? globalThis.chrome;
