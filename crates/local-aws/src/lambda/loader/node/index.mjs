// Runs a Node.js handler against the Lambda Runtime API, with Node.js alone.

import { open, postError, postInitError } from './client.mjs';
import { current, logError, patchConsole } from './console.mjs';
import { CallbackHandlerDeprecated, isModern, UnhandledPromiseRejection } from './errors.mjs';
import { findHandler } from './handler.mjs';
import { idle, serveClassic, serveModern } from './invocation.mjs';
import { isStreaming, offerStreaming } from './streaming.mjs';

const NO_CALLBACKS = 'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. '
  + 'You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information '
  + 'see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.';

function dieOf(title, error, code) {
  logError(title, error);
  const told = current.requestId ? postError(current.requestId, error) : postInitError(error);
  told.then(() => process.exit(code));
}

async function main() {
  patchConsole();
  await open();
  offerStreaming();
  if (!isModern) {
    process.on('uncaughtException', (error) => dieOf('Uncaught Exception', error, 129));
    process.on('unhandledRejection', (reason, promise) => {
      dieOf('Unhandled Promise Rejection', new UnhandledPromiseRejection(reason, promise), 128);
    });
    process.on('beforeExit', () => idle.listener());
    const handler = await findHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER, false);
    serveClassic(handler, isStreaming(handler));
    return;
  }
  // Before the first invocation; `undefined` in older ones.
  current.requestId = '-';
  let handler;
  try {
    handler = await findHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER, true);
    if (handler.length >= 3 && !isStreaming(handler)) throw new CallbackHandlerDeprecated(NO_CALLBACKS);
  } catch (error) {
    logError('Init Error', error);
    await postInitError(error);
    process.exit(1);
  }
  await serveModern(handler, isStreaming(handler));
}

// No top-level await: Node.js would end with code 13 where a handler leaves nothing to wait for.
main().catch((error) => {
  if (isModern) throw error;
  dieOf('Uncaught Exception', error, 129);
});
