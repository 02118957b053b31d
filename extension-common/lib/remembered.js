// SPDX-License-Identifier: Apache-2.0
// How long replaced records may still be believed somewhere.

// Packets are kept for no less than this (core/cache/packet_cache.h).
const ttlMinS = 300;

/** In ms. Twice their TTL leaves room for caches on the way. */
export const rememberedMs = (ttlS) => 2 * Math.max(ttlS, ttlMinS) * 1000;
