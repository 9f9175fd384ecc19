// The Runtime API, over one connection. The peer is the local AWS, which always states a Content-Length.

import http from 'node:http';
import net from 'node:net';
import { describe } from './errors.mjs';

const API = '/2018-06-01/runtime';
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');

let socket;
let received = Buffer.alloc(0);
const waiting = [];

function connect() {
  socket = net.connect({ host, port, noDelay: true });
  socket.on('data', (part) => {
    received = Buffer.concat([received, part]);
    takeResponses();
  });
  // The end of the local AWS.
  socket.on('error', () => process.exit(0));
  socket.on('close', () => process.exit(0));
  return new Promise((resolve) => { socket.once('connect', resolve); });
}

function takeResponses() {
  for (;;) {
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const lines = received.toString('latin1', 0, end).split('\r\n').slice(1);
    const headers = Object.fromEntries(lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const whole = end + 4 + Number(headers['content-length'] ?? 0);
    if (received.length < whole) return;
    const body = received.subarray(end + 4, whole);
    received = received.subarray(whole);
    const resolve = waiting.shift();
    // Nothing else is expected: a handler that leaves nothing to wait for has ended.
    if (waiting.length === 0) socket.unref();
    resolve({ headers, body });
  }
}

/** Sends at once, as far as the system takes it: who ends the process next has answered all the same. */
function send(method, target, body, headers = {}) {
  const lines = [`${method} ${API}${target} HTTP/1.1`, `Host: ${host}:${port}`];
  const bytes = Buffer.from(body ?? '');
  if (body !== undefined) lines.push('Content-Type: application/json', `Content-Length: ${bytes.length}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  socket.ref();
  socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]));
  return new Promise((resolve) => { waiting.push(resolve); });
}

function sendError(target, error) {
  const body = describe(error);
  const type = encodeURIComponent(body.errorType ?? '');
  return send('POST', target, JSON.stringify(body), { 'Lambda-Runtime-Function-Error-Type': type });
}

/** Connects; nothing else may be asked before. */
export async function open() {
  await connect();
  socket.unref();
}

export function next() {
  return send('GET', '/invocation/next');
}

/** What an invocation came to. */
export function postResponse(requestId, text) {
  return send('POST', `/invocation/${requestId}/response`, text);
}

export function postError(requestId, error) {
  return sendError(`/invocation/${requestId}/error`, error);
}

export function postInitError(error) {
  return sendError('/init/error', error);
}

/** A request whose body is written piece by piece, on a connection of its own. */
export function streamResponse(requestId, headers, highWaterMark) {
  const agent = new http.Agent({ keepAlive: false });
  const path = `${API}/invocation/${requestId}/response`;
  return http.request({ host, port, agent, method: 'POST', path, headers, highWaterMark });
}
