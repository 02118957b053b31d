// SPDX-License-Identifier: Apache-2.0
// The only resolver of the sandbox: answers NXDOMAIN and remembers what it was asked.
import { createSocket } from 'node:dgram';

function nameIn(query) {
  const labels = [];
  for (let at = 12; query[at] !== 0 && at < query.length; at += 1 + query[at]) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
  }
  return labels.join('.').toLowerCase();
}

export async function startResolver() {
  const socket = createSocket('udp4');
  const names = new Set();
  socket.on('message', (query, { address, port }) => {
    names.add(nameIn(query));
    const answer = Buffer.from(query);
    answer.writeUInt16BE(0x8183, 2);
    socket.send(answer, port, address);
  });
  await new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(53, '127.0.0.1', resolve);
  });
  return { names, close: () => socket.close() };
}
