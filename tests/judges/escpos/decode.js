'use strict';
// Reads a print job on standard input, writes what npos and iconv-lite make of it as JSON:
// {"error": null, "parts": [{"text": "…"} | {"command": "GS k", "hex": "…"}]}
const rules = require('npos/lib/parser/rules');
rules[0x1d]['(k'] = [0, 'd16'];
const ruler = require('npos/lib/parser/ruler');
const Parser = require('npos/lib/parser');
const iconv = require('iconv-lite');

const chunks = [];
process.stdin.on('data', (chunk) => chunks.push(chunk));
process.stdin.on('end', () => {
  const raw = Buffer.concat(chunks);
  const judged = new Parser(ruler.normalize(rules)).analyze(raw);
  const parts = (judged.tree || []).map((node) => {
    const bytes = raw.subarray(node.offset, node.offset + node.length);
    if (node.ascii === 'STX') return { text: iconv.decode(bytes, 'gb18030') };
    const skipped = 1 + (node.fn ? node.fn.length : 0);
    return { command: `${node.ascii} ${node.fn || ''}`.trim(), hex: bytes.subarray(skipped).toString('hex') };
  });
  const error = judged.error ? String(judged.error.message) : null;
  process.stdout.write(JSON.stringify({ error, parts }));
});
