// Runs a Node.js handler against the Lambda Runtime API, with Node.js alone.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

const API = '/2018-06-01/runtime';
const TASK_ROOT = process.env.LAMBDA_TASK_ROOT;
const RUNTIME_DIR = process.env.LAMBDA_RUNTIME_DIR;
const JSON_LOG = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const LEAST_LEVEL = LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL);

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const telemetry = Number(process.env._LAMBDA_TELEMETRY_LOG_FD);
delete process.env._LAMBDA_TELEMETRY_LOG_FD;

let requestId;

class Fault extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

// --- the log ---

function pause() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

function writeAll(descriptor, bytes) {
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += fs.writeSync(descriptor, bytes, offset);
    } catch (error) {
      // Node.js makes pipes non-blocking.
      if (error.code !== 'EAGAIN') throw error;
      pause();
    }
  }
}

function writeRecord(text) {
  if (!telemetry) {
    writeAll(1, Buffer.from(`${text.replaceAll('\n', '\r')}\n`));
    return;
  }
  const message = Buffer.from(`${text}\n`);
  const frame = Buffer.alloc(16 + message.length);
  frame.writeUInt32BE(0xa55a0003, 0);
  frame.writeUInt32BE(message.length, 4);
  frame.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);
  message.copy(frame, 16);
  writeAll(telemetry, frame);
}

function jsonRecord(level, values) {
  const record = { timestamp: new Date().toISOString(), level, requestId };
  const [first, ...others] = values;
  if (first instanceof Error && others.length === 0) {
    return JSON.stringify({ ...record, ...describe(first, 'stackTrace'), message: first.message });
  }
  const message = others.length === 0 && typeof first === 'object' ? first : format(...values);
  return JSON.stringify({ ...record, message });
}

function log(level, ...values) {
  if (JSON_LOG) {
    if (LEVELS.indexOf(level) >= LEAST_LEVEL) writeRecord(jsonRecord(level, values));
    return;
  }
  writeRecord(`${new Date().toISOString()}\t${requestId}\t${level}\t${format(...values)}`);
}

function patchConsole() {
  console.log = (...values) => log('INFO', ...values);
  console.info = (...values) => log('INFO', ...values);
  console.warn = (...values) => log('WARN', ...values);
  console.error = (...values) => log('ERROR', ...values);
  console.debug = (...values) => log('DEBUG', ...values);
  console.trace = (...values) => log('TRACE', ...values);
  console.fatal = (...values) => log('FATAL', ...values);
}

// --- errors ---

// Where the code really is means nothing to anybody, and differs from run to run.
function withoutPaths(text) {
  return text.replaceAll(TASK_ROOT, '/var/task').replaceAll(RUNTIME_DIR, '/var/runtime');
}

function describe(error, stackName) {
  if (!(error instanceof Error)) {
    return { errorType: typeof error, errorMessage: String(error), [stackName]: [] };
  }
  return {
    errorType: error.name ?? 'Error',
    errorMessage: error.message,
    [stackName]: withoutPaths(String(error.stack ?? '')).split('\n'),
  };
}

function logError(title, error) {
  const details = error instanceof Error ? Object.fromEntries(Object.entries(error)) : {};
  delete details.name;
  const { errorType, errorMessage, stack } = describe(error, 'stack');
  const text = safeJson({ errorType, errorMessage, ...details, stack });
  if (JSON_LOG) log('ERROR', error);
  else log('ERROR', `${title} \t${text}`);
}

function safeJson(value) {
  try {
    return JSON.stringify(value);
  } catch {
    return JSON.stringify({ errorType: value.errorType, errorMessage: value.errorMessage, stack: value.stack });
  }
}

// --- the Runtime API ---

function send(method, target, body, headers) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const request = http.request({ host, port, agent, method, path: API + target, headers: { ...length, ...headers } });
    request.on('error', (error) => reject(Object.assign(error, { reused: request.reusedSocket })));
    request.on('response', (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(parts) }));
      response.on('error', reject);
    });
    request.end(body);
  });
}

async function call(method, target, body, headers = {}) {
  try {
    return await send(method, target, body, headers);
  } catch (error) {
    // A connection that idled for long may be closed.
    if (error.reused) {
      try {
        return await send(method, target, body, headers);
      } catch { /* as below */ }
    }
    // A new one that fails means the end of the local AWS.
    return process.exit(0);
  }
}

function fail(target, error) {
  const body = describe(error, 'trace');
  const headers = { 'Lambda-Runtime-Function-Error-Type': encodeURIComponent(body.errorType) };
  return call('POST', target, JSON.stringify(body), headers);
}

// --- the handler ---

function moduleFile(stem) {
  for (const suffix of ['', '.js', '.mjs', '.cjs']) {
    const file = stem + suffix;
    if (fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  }
  throw new Fault('Runtime.ImportModuleError', `Error: Cannot find module '${path.basename(stem)}'\nRequire stack:\n- /var/runtime/index.mjs`);
}

async function importModule(file) {
  try {
    return await import(pathToFileURL(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Fault('Runtime.UserCodeSyntaxError', String(error));
    if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') {
      throw new Fault('Runtime.ImportModuleError', withoutPaths(String(error)));
    }
    throw error;
  }
}

async function findHandler(name) {
  const base = path.basename(name);
  const dot = base.indexOf('.');
  if (dot < 0 || name.includes('..')) throw new Fault('Runtime.MalformedHandlerName', 'Bad handler');
  const folder = name.slice(0, name.length - base.length);
  const stem = path.resolve(TASK_ROOT, folder, base.slice(0, dot));
  const module = await importModule(moduleFile(stem));
  const walk = (start) => base.slice(dot + 1).split('.').reduce((value, key) => value?.[key], start);
  const handler = walk(module) ?? walk(module.default);
  if (handler === undefined) throw new Fault('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw new Fault('Runtime.HandlerNotFound', `${name} is not a function`);
  return handler;
}

function makeContext(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const clientContext = headers['lambda-runtime-client-context'];
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: clientContext ? JSON.parse(clientContext) : undefined,
    identity: undefined,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

let whenIdle = () => {};

// Resolves to the handler's result, whichever of the ways of giving one it uses.
function invoke(handler, event, context) {
  return new Promise((resolve, reject) => {
    // When nothing is left to do and nothing was said, Lambda answers null.
    whenIdle = () => resolve(null);
    const settle = (error, value) => {
      const finish = () => (error ? reject(error) : resolve(value));
      if (error || !context.callbackWaitsForEmptyEventLoop) finish();
      else whenIdle = finish;
    };
    context.done = settle;
    context.succeed = (value) => settle(null, value);
    context.fail = (error) => settle(error ?? 'handled');
    const result = handler(event, context, settle);
    if (typeof result?.then === 'function') result.then(resolve, reject);
  });
}

function encode(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? 'null';
  } catch (error) {
    throw new Fault('Runtime.MarshalError', `Unable to stringify response body: ${error.message}`);
  }
}

async function serve(handler) {
  for (;;) {
    const { headers, body } = await call('GET', '/invocation/next');
    requestId = headers['lambda-runtime-aws-request-id'];
    process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
    const target = `/invocation/${requestId}`;
    let answer;
    try {
      answer = encode(await invoke(handler, JSON.parse(body.toString()), makeContext(headers)));
    } catch (error) {
      logError('Invoke Error', error);
      await fail(`${target}/error`, error);
      continue;
    } finally {
      whenIdle = () => {};
    }
    await call('POST', `${target}/response`, answer);
  }
}

function dieOf(title, error, code) {
  logError(title, error);
  const target = requestId ? `/invocation/${requestId}/error` : '/init/error';
  fail(target, error).finally(() => process.exit(code));
}

process.on('beforeExit', () => whenIdle());
process.on('uncaughtException', (error) => dieOf('Uncaught Exception', error, 129));
process.on('unhandledRejection', (reason) => {
  const error = new Fault('Runtime.UnhandledPromiseRejection', String(reason));
  dieOf('Unhandled Promise Rejection', error, 128);
});

patchConsole();
// No top-level await: Node.js would end with code 13 where a handler leaves nothing to wait for.
findHandler(process.env._HANDLER).then(serve).catch((error) => dieOf('Uncaught Exception', error, 1));
