// Asks the YAML language server what an editor would ask about playbooks.
//
//   node language_server.mjs NODE_MODULES DIRECTORY < questions.json > answers.json
//
// A question is {"file", "text", "at": {"line", "character"}}, its answer {"completions", "hover", "problems"}. The
// documents are never written; their first line names the schema, which lies in DIRECTORY.

import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

const [modules, directory] = process.argv.slice(2);
const program = join(modules, 'yaml-language-server', 'bin', 'yaml-language-server');
const server = spawn(process.execPath, [program, '--stdio'], {stdio: ['pipe', 'pipe', 'inherit']});

const waiting = new Map();
const published = new Map();
let received = Buffer.alloc(0);
let lastId = 0;

const settings = {
  yaml: {validate: true, hover: true, completion: true, schemaStore: {enable: false}},
};

function send(message) {
  const body = JSON.stringify({jsonrpc: '2.0', ...message});
  server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function request(method, params) {
  lastId += 1;
  const id = lastId;
  return new Promise((resolve, reject) => {
    waiting.set(id, {resolve, reject});
    send({id, method, params});
  });
}

function handle(message) {
  if (message.method === 'textDocument/publishDiagnostics') {
    published.get(message.params.uri)?.(message.params.diagnostics);
  } else if (message.method === 'workspace/configuration') {
    send({id: message.id, result: message.params.items.map(({section}) => settings[section] ?? {})});
  } else if (message.method && message.id !== undefined) {
    send({id: message.id, result: null});
  } else if (waiting.has(message.id)) {
    const {resolve, reject} = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error) reject(new Error(message.error.message));
    else resolve(message.result);
  }
}

server.stdout.on('data', (chunk) => {
  received = Buffer.concat([received, chunk]);
  for (;;) {
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(received.subarray(0, end))[1]);
    if (received.length < end + 4 + length) return;
    const body = received.subarray(end + 4, end + 4 + length);
    received = received.subarray(end + 4 + length);
    handle(JSON.parse(body));
  }
});

server.on('exit', (code) => {
  if (waiting.size > 0) {
    process.stderr.write(`the language server ended with ${code}\n`);
    process.exit(1);
  }
});

function asText(contents) {
  if (!contents) return '';
  if (Array.isArray(contents)) return contents.map(asText).join('\n');
  return typeof contents === 'string' ? contents : contents.value;
}

async function answer({file, text, at}) {
  const uri = pathToFileURL(join(directory, file)).href;
  const problems = new Promise((resolve) => published.set(uri, resolve));
  send({
    method: 'textDocument/didOpen',
    params: {textDocument: {uri, languageId: 'yaml', version: 1, text}},
  });
  const found = await problems;
  const place = {textDocument: {uri}, position: at ?? {line: 0, character: 0}};
  const completions = at ? await request('textDocument/completion', place) : [];
  const hover = at ? await request('textDocument/hover', place) : null;
  return {
    completions: (completions.items ?? completions).map((item) => ({
      label: item.label,
      text: item.textEdit?.newText ?? item.insertText ?? item.label,
      documentation: asText(item.documentation),
    })),
    hover: asText(hover?.contents),
    problems: found.map(({range, message}) => ({line: range.start.line + 1, message})),
  };
}

const capabilities = {
  textDocument: {
    completion: {completionItem: {snippetSupport: true, documentationFormat: ['markdown']}},
    hover: {contentFormat: ['markdown']},
    publishDiagnostics: {},
  },
  workspace: {configuration: true},
};
await request('initialize', {
  processId: process.pid,
  rootUri: pathToFileURL(directory).href,
  capabilities,
});
send({method: 'initialized', params: {}});
send({method: 'workspace/didChangeConfiguration', params: {settings}});

const answers = [];
for (const question of JSON.parse(readFileSync(0, 'utf8'))) answers.push(await answer(question));
await request('shutdown');
send({method: 'exit'});
process.stdout.write(JSON.stringify(answers));
