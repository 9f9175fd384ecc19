// One invocation: what a handler is given, and the ways in which it may answer.

import { next, postError, postResponse } from './client.mjs';
import { current, logError } from './console.mjs';
import { encode, isModern, JSONStringifyError } from './errors.mjs';
import { openStream } from './streaming.mjs';

/** What happens when a handler leaves nothing to wait for. */
export const idle = { listener: () => {} };
const waitsForNothing = () => {};

function header(headers, name) {
  const text = headers[`lambda-runtime-${name}`];
  return text === undefined ? undefined : JSON.parse(text);
}

function fillContext(context, headers) {
  const trace = headers['lambda-runtime-trace-id'];
  if (trace) process.env._X_AMZN_TRACE_ID = trace;
  else delete process.env._X_AMZN_TRACE_ID;
  const deadline = headers['lambda-runtime-deadline-ms'];
  const functionName = process.env.AWS_LAMBDA_FUNCTION_NAME;
  const functionVersion = process.env.AWS_LAMBDA_FUNCTION_VERSION;
  const environment = {
    ...(isModern ? { functionName, functionVersion } : { functionVersion, functionName }),
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
  };
  const invocation = {
    clientContext: header(headers, 'client-context'),
    identity: header(headers, 'cognito-identity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    ...(isModern ? { xRayTraceId: trace } : {}),
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  return isModern ? Object.assign(context, invocation, environment) : Object.assign(context, environment, invocation);
}

async function nextInvocation() {
  const { headers, body } = await next();
  current.requestId = headers['lambda-runtime-aws-request-id'];
  current.tenantId = headers['lambda-runtime-aws-tenant-id'];
  return { headers, text: body.toString(), requestId: current.requestId };
}

// A stack calls a handler what it is a member of.
class Runtime {
  constructor(handler) { this.handler = handler; }
}
class BufferedInvokeProcessor extends Runtime {}
class StreamingInvokeProcessor extends Runtime {}

const isPromise = (value) => typeof value?.then === 'function';

/** `callback`, `succeed`, `fail` and `done`, of which the first that is called counts. */
function answers(requestId, goOn) {
  let completed = false;
  let waitForIdle = true;
  const complete = (value) => {
    if (completed) {
      console.error('Invocation has already been reported as done. Cannot call complete more than once per invocation.');
      return;
    }
    completed = true;
    postResponse(requestId, encode(value, Error)).then(goOn);
  };
  const refuse = (error) => {
    logError('Invoke Error', error);
    postError(requestId, error).then(goOn);
  };
  const settle = (error, value, waits) => {
    idle.listener = waitsForNothing;
    if (error !== undefined && error !== null) refuse(error);
    else if (waits) idle.listener = () => setImmediate(complete, value);
    else complete(value);
  };
  let finished = false;
  const once = (action) => (...values) => {
    if (finished) return;
    action(...values);
    finished = true;
  };
  const context = {
    get callbackWaitsForEmptyEventLoop() { return waitForIdle; },
    set callbackWaitsForEmptyEventLoop(value) { waitForIdle = value; },
    succeed: once((value) => settle(null, value, false)),
    fail: once((error) => settle(error ?? 'handled', null, false)),
    done: once((error, value) => settle(error, value, false)),
  };
  const nothingSaid = () => {
    completed = true;
    postResponse(requestId, 'null').then(goOn);
  };
  return { callback: once((error, value) => settle(error, value, waitForIdle)), context, nothingSaid };
}

async function handleBuffered(handler, goOn) {
  const { headers, text, requestId } = await nextInvocation();
  const { callback, context, nothingSaid } = answers(requestId, goOn);
  idle.listener = nothingSaid;
  try {
    const result = new Runtime(handler).handler(JSON.parse(text), fillContext(context, headers), callback);
    if (isPromise(result)) result.then(context.succeed, context.fail).catch(context.fail);
  } catch (error) {
    callback(error);
  }
}

async function handleStreaming(handler, goOn) {
  const { headers, text, requestId } = await nextInvocation();
  let waitForIdle = true;
  const context = {
    get callbackWaitsForEmptyEventLoop() { return waitForIdle; },
    set callbackWaitsForEmptyEventLoop(value) { waitForIdle = value; },
  };
  const { stream, taken, fail } = openStream(requestId, handler);
  const refuse = (error) => {
    logError('Invoke Error', error);
    fail(error, () => taken.finally(goOn));
  };
  idle.listener = goOn;
  try {
    const result = new Runtime(handler).handler(JSON.parse(text), stream, fillContext(context, headers));
    if (!isPromise(result)) {
      refuse('Streaming does not support non-async handlers.');
      return;
    }
    if ((await result) !== undefined) console.warn('Streaming handlers ignore return values.');
    await taken;
    idle.listener = waitsForNothing;
    if (waitForIdle) idle.listener = () => setImmediate(goOn);
    else goOn();
  } catch (error) {
    refuse(error);
  }
}

/** Up to Node.js 22: whatever the handler leaves to be done is waited for, unless it said otherwise. */
export function serveClassic(handler, isStreaming) {
  const handle = isStreaming ? handleStreaming : handleBuffered;
  const goOn = () => {
    idle.listener = waitsForNothing;
    setImmediate(handle, handler, goOn);
  };
  goOn();
}

async function streamModern(handler, event, context) {
  const { stream, taken, fail } = openStream(context.awsRequestId, handler);
  try {
    const result = new StreamingInvokeProcessor(handler).handler(event, stream, context);
    if (!isPromise(result)) throw new Error('Streaming does not support non-async handlers.');
    if ((await result) !== undefined) console.warn('Streaming handlers ignore return values.');
    await taken;
  } catch (error) {
    logError('Invoke Error', error);
    fail(error);
    await taken;
  }
}

/** From Node.js 24 on: what a handler returns, or what its promise comes to. */
export async function serveModern(handler, isStreaming) {
  for (;;) {
    const { headers, text, requestId } = await nextInvocation();
    const context = fillContext({}, headers);
    const event = JSON.parse(text);
    if (isStreaming) {
      await streamModern(handler, event, context);
      continue;
    }
    try {
      const result = await new BufferedInvokeProcessor(handler).handler(event, context);
      await postResponse(requestId, encode(result, JSONStringifyError));
    } catch (error) {
      logError('Invoke Error', error);
      await postError(requestId, error);
    }
  }
}
