// SPDX-License-Identifier: Apache-2.0
// What the network's answers come down to.

/** A source that can know says that nobody has published the key: no other failure means that. */
export const isNothingThere = ({ error }) =>
  ['resolve.not_found', 'relay.not_found'].includes(error);
