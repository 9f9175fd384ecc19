// Errors as they are told to the Runtime API and to the log.

import { types } from 'node:util';

/** From Node.js 24 on, AWS's runtime is another program. */
export const isModern = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV ?? '')?.[1]) >= 24;

/** Declares an error of the runtime: its class is called `name`, its `name` says that it is the runtime's. */
function runtimeError(name) {
  const made = {
    [name]: class extends Error {
      constructor(message) {
        super(message);
        // A member of its own, which the log shows.
        if (isModern) this.name = `Runtime.${name}`;
      }
    },
  }[name];
  made.prototype.name = `Runtime.${name}`;
  return made;
}

export const CallbackHandlerDeprecated = runtimeError('CallbackHandlerDeprecated');
export const HandlerNotFound = runtimeError('HandlerNotFound');
export const ImportModuleError = runtimeError('ImportModuleError');
export const InvalidStreamingOperation = runtimeError('InvalidStreamingOperation');
export const JSONStringifyError = runtimeError('JSONStringifyError');
export const MalformedHandlerName = runtimeError('MalformedHandlerName');
export const MalformedStreamingHandler = runtimeError('MalformedStreamingHandler');
export const UserCodeSyntaxError = runtimeError('UserCodeSyntaxError');

export class UnhandledPromiseRejection extends Error {
  constructor(reason, promise) {
    super(reason);
    this.reason = reason;
    this.promise = promise;
  }
}
UnhandledPromiseRejection.prototype.name = 'Runtime.UnhandledPromiseRejection';

export function intoError(value) {
  return value instanceof Error ? value : new Error(isModern ? String(value) : value);
}

function looksLikeError(value) {
  return value && [value.name, value.message, value.stack].every((part) => part && typeof part === 'string');
}

// The Runtime API takes the type in a header, where this character may not stand.
function withoutDelete(text) {
  return text?.replaceAll('\x7F', '%7F');
}

/** What the Runtime API is told. */
export function describe(error) {
  try {
    if (isModern ? error instanceof Error : types.isNativeError(error) || looksLikeError(error)) {
      return {
        errorType: withoutDelete(error.name),
        errorMessage: withoutDelete(error.message),
        trace: isModern && !error.stack ? [] : withoutDelete(error.stack).split('\n'),
      };
    }
    return { errorType: typeof error, errorMessage: isModern ? String(error) : error.toString(), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of '
        + 'its message, name, and stack',
      ...(isModern ? { trace: [] } : {}),
    };
  }
}

/** What a log in text has behind a title. */
export function inText(error) {
  const visible = (_, value) => {
    if (!(value instanceof Error)) return value;
    const shown = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
    if (typeof value.stack === 'string') shown.stack = value.stack.split('\n');
    return shown;
  };
  try {
    return `\t${JSON.stringify(error, visible)}`;
  } catch {
    return `\t${JSON.stringify(describe(error))}`;
  }
}

/** The answer as text; nothing is null. */
export function encode(value, Failure) {
  try {
    return JSON.stringify(value === undefined ? null : value);
  } catch {
    throw new Failure('Unable to stringify response body');
  }
}
