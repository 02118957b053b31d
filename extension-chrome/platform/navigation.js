// SPDX-License-Identifier: Apache-2.0
// Why a navigation came to no page, as Chrome says it.

/** Somebody or something else ended it: the person, a download, an answer without a page. */
export const isEnded = (error) => /ABORT/.test(error);
