// The log: what handlers write with `console`, and what the runtime says of errors.

import fs from 'node:fs';
import { format } from 'node:util';
import { inText, intoError } from './errors.mjs';

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const JSON_LOG = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
const LEAST_LEVEL = LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase());

const telemetry = Number(process.env._LAMBDA_TELEMETRY_LOG_FD);
delete process.env._LAMBDA_TELEMETRY_LOG_FD;

/** What records say of the invocation. */
export const current = { requestId: undefined, tenantId: undefined };

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

function writeRecord(text, time) {
  if (!telemetry) {
    writeAll(1, Buffer.from(`${text.trimEnd().replaceAll('\n', '\r')}\n`));
    return;
  }
  const message = Buffer.from(text);
  const frame = Buffer.alloc(16 + message.length);
  frame.writeUInt32BE(0xa55a0003, 0);
  frame.writeUInt32BE(message.length, 4);
  frame.writeBigUInt64BE(BigInt(time.valueOf()) * 1000n, 8);
  message.copy(frame, 16);
  writeAll(telemetry, frame);
}

function describeInJson(error) {
  const stack = error.stack;
  return {
    errorType: error.constructor?.name ?? 'UnknownError',
    errorMessage: error.message,
    stackTrace: typeof stack === 'string' ? stack.split('\n') : stack,
  };
}

function jsonRecord(time, level, values) {
  const record = { timestamp: time.toISOString(), level, requestId: current.requestId };
  if (current.tenantId) record.tenantId = current.tenantId;
  if (values.length === 1) {
    const [message] = values;
    const visible = (_, value) => (value instanceof Error ? { ...describeInJson(value), ...value } : value);
    try {
      return JSON.stringify({ ...record, message }, visible);
    } catch {
      // A circle, or a number that JSON does not have.
      return JSON.stringify({ ...record, message: format(message) });
    }
  }
  record.message = format(...values);
  const error = values.find((value) => value instanceof Error);
  if (error) {
    Object.assign(record, describeInJson(error));
    if (typeof error.stack !== 'string') record.stackTrace = [];
  }
  return JSON.stringify(record);
}

function log(level, values) {
  const time = new Date();
  const text = JSON_LOG
    ? jsonRecord(time, level, values)
    : `${time.toISOString()}\t${current.requestId}\t${level}\t${format(...values)}\n`;
  writeRecord(text, time);
}

/** Puts the log behind `console`. */
export function patchConsole() {
  for (const level of LEVELS) {
    const isWritten = level === 'FATAL' || LEVELS.indexOf(level) >= LEAST_LEVEL;
    console[level.toLowerCase()] = isWritten ? (first, ...others) => log(level, [first, ...others]) : () => {};
  }
  console.log = console.info;
}

/** Writes an error down for whoever reads the log. */
export function logError(title, error) {
  if (JSON_LOG) console.error(intoError(error));
  else console.error(title, inText(intoError(error)));
}
