// Finds the handler.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { HandlerNotFound, ImportModuleError, MalformedHandlerName, UserCodeSyntaxError } from './errors.mjs';

const require = createRequire(import.meta.url);
const exists = (file) => fs.existsSync(file);
const load = (file) => import(pathToFileURL(file));

/** Whether a package.json above says that `.js` files are modules. */
function isModuleFolder(folder) {
  if (folder.endsWith('/node_modules')) return false;
  const file = path.join(folder, 'package.json');
  if (exists(file)) {
    try {
      return JSON.parse(fs.readFileSync(file))?.type === 'module';
    } catch (error) {
      console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  const parent = path.dirname(folder);
  return parent === folder ? false : isModuleFolder(parent);
}

/** Up to Node.js 22: `require` where it serves, so that what is exported is what the file says. */
async function loadClassic(root, folder, name) {
  const stem = path.resolve(root, folder, name);
  const isModule = exists(`${stem}.js`) && isModuleFolder(path.dirname(stem));
  if (exists(stem)) {
    // A folder with an index.js, or a file without a suffix.
    const found = require(stem);
    if (found) return found;
  }
  if (exists(`${stem}.js`)) return isModule ? load(`${stem}.js`) : require(`${stem}.js`);
  if (exists(`${stem}.mjs`)) return load(`${stem}.mjs`);
  if (exists(`${stem}.cjs`)) return require(`${stem}.cjs`);
  return require(require.resolve(name, { paths: [root, folder] }));
}

/** From Node.js 24 on: `import`. */
async function loadModern(root, folder, name) {
  const stem = path.resolve(root, folder, name);
  for (const suffix of ['', '.js', '.mjs', '.cjs']) {
    if (exists(stem + suffix)) return load(stem + suffix);
  }
  return require(require.resolve(name, { paths: [root, path.join(root, folder)] }));
}

// What the runtimes of AWS bring along, and a fresh Node.js does not.
function advice(error) {
  const missing = /Cannot find (?:module|package) '((?:@aws-sdk|@smithy)\/[^'/]+)/.exec(error?.message);
  return missing
    ? `\nAWS's runtime brings it, the Node.js that runs this function does not: run 'npm install ${missing[1]}' where the `
      + 'handler lies, so that it is in the deployment package.'
    : '';
}

async function loadModule(isModern, ...place) {
  try {
    return await (isModern ? loadModern : loadClassic)(...place);
  } catch (error) {
    if (error instanceof SyntaxError) {
      const failure = new UserCodeSyntaxError(error);
      if (isModern) failure.stack = error.stack;
      throw failure;
    }
    if (error?.code === 'MODULE_NOT_FOUND') throw new ImportModuleError(error + advice(error));
    if (error?.code === 'ERR_MODULE_NOT_FOUND') error.message += advice(error);
    throw error;
  }
}

function walk(start, keys, mayPass) {
  return keys.split('.').reduce((found, key) => (mayPass(found) ? found[key] : undefined), start);
}

/** The function that a handler's name stands for. */
export async function findHandler(root, fullName, isModern) {
  if (fullName.includes('..')) {
    throw new MalformedHandlerName(
      `'${fullName}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = path.basename(fullName);
  const folder = fullName.slice(0, fullName.indexOf(base));
  const dot = base.indexOf('.');
  if (dot < 0) throw new MalformedHandlerName('Bad handler');
  const module = await loadModule(isModern, root, folder, base.slice(0, dot));
  const keys = base.slice(dot + 1);
  let handler = walk(module, keys, (value) => (isModern ? value && typeof value === 'object' : value));
  if (!handler && isModern && module?.default) {
    handler = walk(module.default, keys, (value) => value && typeof value === 'object');
  }
  if (!handler) throw new HandlerNotFound(`${fullName} is undefined or not exported`);
  if (typeof handler !== 'function') throw new HandlerNotFound(`${fullName} is not a function`);
  return handler;
}
