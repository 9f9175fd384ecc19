// Stands in for the native part of AWS's clients, which does not compile everywhere: `next` waits with the event loop,
// `done` and `error` return when they have been answered.
'use strict';

const http = require('node:http');
const Module = require('node:module');
const { Worker } = require('node:worker_threads');

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const root = '/2018-06-01/runtime/invocation';

const poster = new Worker(`
  const http = require('node:http');
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', ({ options, body, flag }) => {
    const finish = () => { Atomics.store(flag, 0, 1); Atomics.notify(flag, 0); };
    const request = http.request(options, (response) => response.resume().on('end', finish));
    request.on('error', finish);
    request.end(body);
  });
`, { eval: true });
poster.unref();

function post(path, body, headers) {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  poster.postMessage({ options: { host, port, path, method: 'POST', headers }, body, flag });
  Atomics.wait(flag, 0, 0);
}

const native = {
  next: () => new Promise((resolve, reject) => {
    http.get({ host, port, path: `${root}/next` }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ bodyJson: Buffer.concat(parts).toString(), headers: response.headers }));
    }).on('error', reject);
  }),
  done: (id, body) => post(`${root}/${id}/response`, body, { 'Content-Type': 'application/json' }),
  error: (id, body) => post(`${root}/${id}/error`, body, { 'Content-Type': 'application/json' }),
};

const load = Module._load;
Module._load = (name, ...others) => (name.endsWith('rapid-client.node') ? native : load(name, ...others));
