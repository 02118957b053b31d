// SPDX-License-Identifier: Apache-2.0
// Why a navigation came to no page, as Firefox says it: "Error code" and the number of an nsresult.

// NS_BINDING_ABORTED, for a stopped load and an answer without a page; NS_BINDING_RETARGETED, for a
// download.
const endings = [0x804b0002, 0x804b0004];

/** Somebody or something else ended it: the person, a download, an answer without a page. */
export const isEnded = (error) => endings.includes(Number(/\d+$/.exec(error)?.[0]));
