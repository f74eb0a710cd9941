// SPDX-License-Identifier: Apache-2.0
// Writes `src/api/schema.ts` from `openapi.json`: the shapes of the API as TypeScript. Ours, because
// the usual generator needs an older compiler than the page is built with.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
export const SOURCE = here('../../openapi.json');
export const TARGET = here('../src/api/schema.ts');

const WIDEST = 100;
const name = (schema) => schema.split('/').pop().replace(/\W/g, '_');
const property = (key) => (/^[A-Za-z_]\w*$/.test(key) ? key : `'${key}'`);

function type(schema) {
  if (!schema || Object.keys(schema).length === 0) return 'unknown';
  if (schema.$ref) return name(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const).replaceAll('"', "'");
  if (schema.enum) {
    return schema.enum.map((each) => JSON.stringify(each).replaceAll('"', "'")).join(' | ');
  }
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return [...new Set(options.map(type))].join(' | ');
  if (schema.type === 'array') {
    const items = type(schema.items);
    return items.includes(' ') ? `(${items})[]` : `${items}[]`;
  }
  if (schema.type === 'object') {
    const more = schema.additionalProperties;
    return `Record<string, ${typeof more === 'object' ? type(more) : 'unknown'}>`;
  }
  const plain = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean' };
  return plain[schema.type] ?? (schema.type === 'null' ? 'null' : 'unknown');
}

function comment(text, indent = '') {
  if (!text) return '';
  const lines = text.trim().split('\n').map((line) => line.trim().replaceAll('*/', ''));
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`;
}

function one(key, schema) {
  const head = comment(schema.description);
  if (schema.type !== 'object' || !schema.properties) {
    const line = `export type ${name(key)} = ${type(schema)};`;
    if (line.length <= WIDEST) return `${head}${line}\n`;
    const options = type(schema).split(' | ').map((option) => `\n  | ${option}`);
    return `${head}export type ${name(key)} =${options.join('')};\n`;
  }
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties).map(([key, value]) => {
    const may = required.has(key) ? '' : '?';
    return `${comment(value.description, '  ')}  ${property(key)}${may}: ${type(value)};\n`;
  });
  return `${head}export interface ${name(key)} {\n${lines.join('')}}\n`;
}

/** The whole file for one description of the API. */
export function written(openapi) {
  const parts = Object.entries(openapi.components.schemas)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, schema]) => one(key, schema));
  const head = '// SPDX-License-Identifier: Apache-2.0\n// Written by `npm run types` from openapi.json; not by hand.\n';
  return `${head}\n${parts.join('\n')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(TARGET, written(JSON.parse(readFileSync(SOURCE, 'utf8'))));
}
