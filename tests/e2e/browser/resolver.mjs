// SPDX-License-Identifier: Apache-2.0
// The only resolver of the sandbox: knows the addresses that it is given, and remembers what it was
// asked.
import { createSocket } from 'node:dgram';

function nameIn(query) {
  const labels = [];
  for (let at = 12; query[at] !== 0 && at < query.length; at += 1 + query[at]) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
  }
  return labels.join('.').toLowerCase();
}

const typeA = 1;

/** An answer to `query`: `address` (IPv4) where it has one, else NXDOMAIN or nothing. */
function answerTo(query, name, address) {
  const question = query.subarray(0, 12 + name.length + 2 + 4);
  const answer = Buffer.from(question);
  answer.writeUInt16BE(address === undefined ? 0x8183 : 0x8180, 2);
  answer.writeUInt16BE(0, 10);
  if (address === undefined || query.readUInt16BE(12 + name.length + 2) !== typeA) return answer;
  answer.writeUInt16BE(1, 6);
  const record = Buffer.from([0xc0, 12, 0, typeA, 0, 1, 0, 0, 0, 60, 0, 4]);
  return Buffer.concat([answer, record, Buffer.from(address.split('.').map(Number))]);
}

/** `addresses`: Map of host name to IPv4 address. */
export async function startResolver(addresses = new Map()) {
  const socket = createSocket('udp4');
  const names = new Set();
  socket.on('message', (query, { address, port }) => {
    const name = nameIn(query);
    names.add(name);
    socket.send(answerTo(query, name, addresses.get(name)), port, address);
  });
  await new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(53, '127.0.0.1', resolve);
  });
  return { names, close: () => socket.close() };
}
