// Handlers that write their answer piece by piece.

import { streamResponse } from './client.mjs';
import { describe, InvalidStreamingOperation, MalformedStreamingHandler } from './errors.mjs';

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
const WITH_PRELUDE = 'application/vnd.awslambda.http-integration-response';

/** The global `awslambda`. */
export function offerStreaming() {
  if (['1', 'true'].includes(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) return;
  globalThis.awslambda = {
    ...globalThis.awslambda,
    streamifyResponse(handler, options) {
      handler[STREAMING] = 'response';
      if (typeof options?.highWaterMark === 'number') handler[HIGH_WATER_MARK] = Math.trunc(options.highWaterMark);
      return handler;
    },
    HttpResponseStream: class HttpResponseStream {
      static from(stream, prelude) {
        stream.setContentType(WITH_PRELUDE);
        const head = JSON.stringify(prelude);
        stream._onBeforeFirstWrite = (write) => {
          write(head);
          write(new Uint8Array(8));
        };
        return stream;
      }
    },
  };
}

export function isStreaming(handler) {
  const mark = handler[STREAMING];
  if (mark === undefined || mark === null || mark === false) return false;
  if (mark !== 'response') throw new MalformedStreamingHandler('Only response streaming is supported.');
  return true;
}

/** The stream of one invocation, with what the runtime has to know of it. */
export function openStream(requestId, handler) {
  const headers = {
    'Lambda-Runtime-Function-Response-Mode': 'streaming',
    Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
    'Content-Type': 'application/octet-stream',
    'Transfer-Encoding': 'chunked',
  };
  const stream = streamResponse(requestId, headers, handler[HIGH_WATER_MARK]);
  const taken = new Promise((resolve, reject) => {
    stream.on('error', reject);
    stream.on('response', (response) => response.resume().on('end', resolve));
  });
  // Whoever ended without waiting for it has said why.
  taken.catch(() => {});
  let begun = false;
  stream.setContentType = (type) => {
    if (begun) throw new InvalidStreamingOperation('Cannot set content-type, too late.');
    stream.setHeader('Content-Type', type);
  };
  const write = stream.write.bind(stream);
  stream.write = (chunk, encoding, callback) => {
    const isPlain = typeof chunk === 'string' || chunk instanceof Uint8Array;
    if (!begun && stream._onBeforeFirstWrite) stream._onBeforeFirstWrite(write);
    begun = true;
    return write(isPlain ? chunk : JSON.stringify(chunk), encoding, callback);
  };
  const fail = (error, then) => {
    const told = describe(error);
    stream.addTrailers({
      'Lambda-Runtime-Function-Error-Type': encodeURIComponent(told.errorType ?? ''),
      'Lambda-Runtime-Function-Error-Body': Buffer.from(JSON.stringify(told)).toString('base64'),
    });
    stream.end(then);
  };
  return { stream, taken, fail };
}
