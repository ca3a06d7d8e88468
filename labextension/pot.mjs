// Collects what can be translated into jupyter_pipeline.pot, the template that translations are made from: the texts of the
// calls `trans.__`, `_n`, `_p` and `_np` in src, and those of the settings' schema. With --check it writes nothing, and
// fails if the file is not up to date. It refuses a text that is put together with others by `+` or in a template: other
// languages have another order, which only one text with places (%1) can have.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

process.chdir(dirname(fileURLToPath(import.meta.url)));
const TARGET = 'jupyter_pipeline.pot';
const SCHEMA = 'schema/plugin.json';
// How many texts each call has, and whether a context comes first.
const CALLS = { __: [1, false], _n: [2, false], _p: [1, true], _np: [2, true] };
// Which members of a schema JupyterLab's server translates, and in which context (jupyterlab_server/translation_utils.py).
const SELECTORS = [
  [/^\/(title|description)$/, 'schema'],
  [/^\/properties\/.*\/(title|description)$/, 'settings'],
  [/^\/jupyter\.lab\.setting-icon-label$/, 'settings'],
  [/^\/jupyter\.lab\.menus\/.*\/label$/, 'menu'],
  [/^\/jupyter\.lab\.toolbars\/.*\/label$/, 'toolbar']
];
const found = new Map();

function add(file, texts, context = null) {
  const key = JSON.stringify([context, texts[0]]);
  const entry = found.get(key) ?? { texts, context, files: new Set() };
  if (entry.texts.length !== texts.length && Math.min(entry.texts.length, texts.length) > 0) {
    throw new Error(`${file}: ${JSON.stringify(texts[0])} is translated with and without a plural; gettext cannot tell them apart.`);
  }
  entry.files.add(file);
  found.set(key, entry);
}

/** A text that stands in the source, perhaps in pieces. */
function textOf(node) {
  if (ts.isStringLiteralLike(node)) {
    return node.text;
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [textOf(node.left), textOf(node.right)];
    return left === null || right === null ? null : left + right;
  }
  return ts.isParenthesizedExpression(node) ? textOf(node.expression) : null;
}

/** Whether a value becomes a part of a longer text, perhaps as one of two. */
function isPart(node) {
  const { parent } = node;
  if (ts.isParenthesizedExpression(parent) || (ts.isConditionalExpression(parent) && node !== parent.condition)) {
    return isPart(parent);
  }
  return ts.isTemplateSpan(parent) || (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.PlusToken);
}

function collect(file) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const visit = node => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && Object.hasOwn(CALLS, node.expression.name.text)) {
      const [count, hasContext] = CALLS[node.expression.name.text];
      const texts = node.arguments.slice(0, count + Number(hasContext)).map(textOf);
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      if (texts.includes(null)) {
        throw new Error(`${file}:${line + 1}: the text to translate must stand in the call itself.`);
      }
      if (isPart(node)) {
        throw new Error(`${file}:${line + 1}: a translated text is a part of a longer one; make it one text with places (%1).`);
      }
      add(file, hasContext ? texts.slice(1) : texts, hasContext ? texts[0] : null);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}

function collectSchema(value, path = '') {
  for (const [key, member] of Object.entries(value)) {
    const here = `${path}/${key}`;
    if (typeof member === 'string') {
      const selector = SELECTORS.find(([pattern]) => pattern.test(here));
      if (selector) {
        add(SCHEMA, [member], selector[1]);
      }
    } else if (typeof member === 'object' && member !== null) {
      collectSchema(member, here);
    }
  }
}

const quoted = text => JSON.stringify(text); // strings of PO files are escaped as C's are, which JSON's are too

function entryOf({ texts, context, files }) {
  const lines = [...files].sort().map(file => `#: ${file}`);
  if (context !== null) {
    lines.push(`msgctxt ${quoted(context)}`);
  }
  lines.push(`msgid ${quoted(texts[0])}`);
  lines.push(...(texts.length > 1 ? [`msgid_plural ${quoted(texts[1])}`, 'msgstr[0] ""', 'msgstr[1] ""'] : ['msgstr ""']));
  return lines.join('\n');
}

readdirSync('src', { recursive: true })
  .map(path => join('src', String(path)).replace(/\\/g, '/'))
  .filter(path => /\.tsx?$/.test(path) && !path.endsWith('.test.ts'))
  .sort()
  .forEach(collect);
collectSchema(JSON.parse(readFileSync(SCHEMA, 'utf8')));
const head = `# What Jupyter Pipeline's front end says, for translation. Made by \`npm run pot\`; do not edit.
msgid ""
msgstr ""
"Project-Id-Version: jupyter_pipeline\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"`;
const made = `${[head, ...[...found.values()].map(entryOf)].join('\n\n')}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(TARGET, made);
  console.log(`${TARGET}: ${found.size} texts`);
} else if (readFileSync(TARGET, 'utf8') !== made) {
  console.error(`${TARGET} is not up to date; run: npm run pot`);
  process.exit(1);
}
